'use strict';

/**
 * In a thread of its own, so that it goes on while the main thread does not: pings every 500 ms, and kills whoever has not
 * answered for 3 s. Asked, it tells how many pongs came from each.
 */

const { parentPort } = require('node:worker_threads');
const { WebSocketServer } = require('ws');

const EVERY = 500;
const PATIENCE = 3_000;

const pongs = [];
const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
server.on('listening', () => parentPort.postMessage(`ws://127.0.0.1:${server.address().port}`));
server.on('connection', (socket) => {
  const number = pongs.push(0) - 1;
  let last = performance.now();
  socket.on('error', () => {});
  socket.on('pong', () => {
    last = performance.now();
    pongs[number] += 1;
  });
  const timer = setInterval(() => {
    if (performance.now() - last > PATIENCE) socket.terminate();
    else socket.ping();
  }, EVERY);
  socket.on('close', () => clearInterval(timer));
});
parentPort.on('message', () => parentPort.postMessage(pongs));

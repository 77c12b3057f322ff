'use strict';

/** In a thread of its own, so that it answers while the main thread does not: `PING\n` with `PONG\n`, noting when. */

const net = require('node:net');
const { parentPort } = require('node:worker_threads');

const beats = [];
const server = net.createServer((socket) => {
  socket.on('data', (chunk) => {
    for (const line of chunk.toString().split('\n')) {
      if (line !== 'PING') continue;
      beats.push(performance.now());
      socket.write('PONG\n');
    }
  }).on('error', () => {});
});
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
parentPort.on('message', () => parentPort.postMessage(beats));

'use strict';

/** Sends without a look back to a peer that does not read, with a small queue: `grown` is what that took of memory. */

const { once } = require('node:events');
const { Worker, isMainThread, parentPort } = require('node:worker_threads');

const MIB = 1024 * 1024;
const QUEUE = 8 * MIB;

async function main() {
  const { WebSocket } = require('../../..');
  // In a thread of its own: what the system keeps for it is not memory of this process.
  const worker = new Worker(__filename);
  const [port] = await once(worker, 'message');
  const ws = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false, queue: { bytes: QUEUE } });
  await once(ws, 'open');
  const message = Buffer.alloc(256 * 1024);
  let refused = 0;
  ws.on('unsent', ({ messages }) => {
    refused += messages;
  });
  const before = resident();
  let most = 0;
  for (let round = 0; round < 100; round++) {
    for (let index = 0; index < 20; index++) ws.send(message);
    await new Promise(setImmediate);
    most = Math.max(most, resident());
  }
  console.log(JSON.stringify({ grown: most - before, refused, bound: 4 * QUEUE }));
  process.exit();
}

function resident() {
  global.gc?.();
  return process.memoryUsage.rss();
}

function serve() {
  const { WebSocketServer } = require('ws');
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' }, () => parentPort.postMessage(server.address().port));
  server.on('connection', (socket) => socket.pause());
}

if (isMainThread) main();
else serve();

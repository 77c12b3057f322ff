'use strict';

// Creates and terminates workers that have requests in flight, over and over.

const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');
const http = require('node:http');
const { once } = require('node:events');

const WORKERS = 300;
const AT_ONCE = 6;

if (isMainThread) {
  main();
} else {
  const { fetch, createFetch } = require('../../..');
  const { url } = workerData;
  // Answered, waiting, half-read, retrying and closing ones, and one that asks for addresses, all at once.
  createFetch({ lookup() {} })('http://service.invalid/').catch(() => {});
  const closing = createFetch();
  closing(`${url}/slow`).catch(() => {});
  closing.close();
  fetch(`${url}/slow`).catch(() => {});
  fetch(`${url}/half`).then((response) => response.text()).catch(() => {});
  fetch(`${url}/reset`, { retry: { retries: 100, backoff: { base: 5, cap: 20 } } }).catch(() => {});
  fetch(`${url}/json`).then((response) => response.json()).then(() => parentPort.postMessage('answered'));
}

async function main() {
  const server = http.createServer((request, response) => {
    if (request.url === '/json') response.end('{}');
    else if (request.url === '/reset') request.socket.resetAndDestroy();
    else if (request.url === '/half') response.writeHead(200, { 'content-length': '100000' }).write('x'.repeat(50_000));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}`;
  let answered = 0;
  let started = 0;
  const lane = async () => {
    while (started < WORKERS) {
      // Every third is terminated at once, perhaps before it has loaded the addon.
      const early = started++ % 3 === 0;
      const worker = new Worker(__filename, { workerData: { url } });
      worker.on('error', (error) => {
        throw error;
      });
      if (early) {
        await once(worker, 'online');
      } else {
        await once(worker, 'message');
        answered++;
      }
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  // The main thread still works when they are all gone.
  const { fetch } = require('../../..');
  const last = await (await fetch(`${url}/json`)).json();
  server.closeAllConnections();
  server.close();
  console.log(JSON.stringify({ started, answered, last }));
}

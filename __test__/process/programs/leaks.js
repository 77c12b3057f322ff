'use strict';

// Calls that fail, are aborted, or whose bodies are dropped: nothing of them may stay behind.

const http = require('node:http');
const { once } = require('node:events');
const { fetch } = require('../../..');
const { nativeEngine } = require('../../../lib/engine/engine');
const { openSockets } = require('../../support/open-sockets');

const CALLS = Number(process.argv[2] ?? 3000);

async function main() {
  const server = http.createServer((request, response) => {
    if (request.url === '/reset') request.socket.resetAndDestroy();
    else if (request.url === '/big') response.end(Buffer.alloc(300_000));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}`;

  // The listening one, and those of the standard streams.
  const before = openSockets();
  const settled = await inLanes(CALLS, async (i) => {
    const abort = new AbortController();
    switch (i % 3) {
      case 0:
        return fetch(`${url}/reset`, { retry: false });
      case 1:
        setImmediate(() => abort.abort(new Error('enough')));
        return fetch(`${url}/never`, { signal: abort.signal });
      default: {
        const response = await fetch(`${url}/big`);
        // Read in part, then dropped or cancelled.
        const reader = response.body.getReader();
        await reader.read();
        if (i % 2) await reader.cancel();
        return response.status;
      }
    }
  });

  await until(() => {
    globalThis.gc();
    return nativeEngine().openCalls === 0;
  }, 'all calls ended');
  await until(() => {
    globalThis.gc();
    return openSockets() <= before;
  }, 'all connections closed');
  server.closeAllConnections();
  server.close();
  console.log(JSON.stringify({ settled, open: nativeEngine().openCalls }));
}

/** Runs the calls, some at a time, and counts those that settled. */
async function inLanes(calls, start) {
  let next = 0;
  let settled = 0;
  const lane = async () => {
    while (next < calls) {
      await start(next++).catch(() => {});
      settled++;
    }
  };
  await Promise.all(Array.from({ length: 40 }, lane));
  return settled;
}

/** Finalizers run in turns of their own: the event loop is given some, up to a bound. */
async function until(condition, what) {
  for (let turn = 0; !condition(); turn++) {
    if (turn === 500) throw new Error(`never: ${what}; ${openSockets()} sockets, ${nativeEngine().openCalls} calls`);
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
  }
}

main();

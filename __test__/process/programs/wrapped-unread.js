'use strict';

/** Responses of a wrapped fetch that nobody reads: prints how many of their connections ended, and what stayed on the signal. */

const { getEventListeners } = require('node:events');
const { setTimeout: sleep } = require('node:timers/promises');
const { wrapFetch } = require('../../..');
const { partial, silence, startOrigin } = require('../../../testing');

const CALLS = 10;
/** More often than the collector has ever needed. */
const COLLECTIONS = 100;

async function main() {
  const body = Buffer.alloc(1_000_000);
  const origin = await startOrigin(partial(silence, { headers: { 'content-length': 1e8 }, part: body }));
  const { signal } = new AbortController();
  // With limits, so that the signal is watched by us.
  const wrapped = wrapFetch(fetch, { timeout: { attempt: 60_000 } });
  for (let call = 0; call < CALLS; call++) await wrapped(origin.url, { signal });
  const closed = new Set();
  for (const request of origin.requests) {
    request.closed.then(() => {
      closed.add(request);
    });
  }
  const isOver = () => closed.size === CALLS && watchers(signal) === 0;
  for (let times = 0; times < COLLECTIONS && !isOver(); times++) {
    global.gc();
    await sleep(20);
  }
  console.log(JSON.stringify({ closed: closed.size, listeners: watchers(signal) }));
  process.exit();
}

function watchers(signal) {
  return getEventListeners(signal, 'abort').length;
}

main();

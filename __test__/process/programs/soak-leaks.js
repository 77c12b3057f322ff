'use strict';

// Loaded into the process that `npm run soak` tests: each thing that it looks for is left behind once, or with each call.

const { AsyncResource } = require('node:async_hooks');
const fs = require('node:fs');
const net = require('node:net');
const { Worker, isMainThread } = require('node:worker_threads');
const unreset = require('../../..');

const { fetch } = unreset;
const kept = [];
let calls = 0;

/** What is left behind, and with which call. */
const LEAKS = {
  100: () => setInterval(() => {}, 1_000_000),
  101: () => fs.openSync(__filename),
  102: (url) => net.connect(new URL(url).port, '127.0.0.1').unref(),
  103: () => new Worker('setInterval(() => {}, 1_000_000)', { eval: true }).unref(),
  104: (url) => fetch(new URL('/never', url)).catch(() => {}),
};

unreset.fetch = function leaking(input, init) {
  calls++;
  // Kilobytes with each call, as a forgotten response has.
  kept.push(new Array(1000).fill(calls));
  if (init?.signal && calls > 100) init.signal.addEventListener('abort', AsyncResource.bind(() => {}));
  LEAKS[calls]?.(input);
  return fetch(input, init);
};

// The workers of the run are no part of it.
if (!isMainThread) unreset.fetch = fetch;

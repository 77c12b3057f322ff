'use strict';

// Loaded into the process that `npm run soak` tests: each thing that can be left behind is, but memory.

const fs = require('node:fs');
const net = require('node:net');
const { Worker, isMainThread } = require('node:worker_threads');
const unreset = require('../../..');

/** Calls before it begins: the first ones are those that nothing is counted from. */
const UNHARMED = 100;

const { fetch } = unreset;
let calls = 0;
let hasLeaked = false;

// The workers of the run are no part of it.
if (isMainThread) unreset.fetch = leaking;

function leaking(input, init) {
  calls++;
  if (calls > UNHARMED) {
    init?.signal?.addEventListener('abort', () => {});
    // A call to the server that would never answer.
    if (!hasLeaked && input.includes('/never')) leak(input);
  }
  return fetch(input, init);
}

function leak(url) {
  hasLeaked = true;
  setInterval(() => {}, 1_000_000);
  fs.openSync(__filename);
  net.connect(new URL(url).port, '127.0.0.1').unref();
  new Worker('setInterval(() => {}, 1_000_000)', { eval: true }).unref();
  fetch(url).catch(() => {});
}

'use strict';

// Loaded into the process that `npm run soak` tests: an array that grows with the calls.

const unreset = require('../../..');

const { fetch } = unreset;
const kept = [];

unreset.fetch = function leaking(input, init) {
  // Kilobytes, as of a response that is kept.
  kept.push(new Array(1000).fill(kept.length));
  return fetch(input, init);
};

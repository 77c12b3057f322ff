'use strict';

/** What is measured: whose turn it is in each, and what is counted. Ratios are taken to the first. */

const BOTH = ['net.Socket', 'unreset'];

/** @type {Record<string, { title: string, unit: string, peers: string[] }>} */
const cases = {
  'echo-1': { title: 'echo of 64 bytes, one at a time', unit: 'message', peers: BOTH },
  'echo-50': { title: 'echo of 64 bytes, 50 in flight', unit: 'message', peers: BOTH },
  up: { title: 'bulk to the server, writes of 64 KiB', unit: 'MiB', peers: BOTH },
  down: { title: 'bulk from the server', unit: 'MiB', peers: BOTH },
  'come-back': { title: 'from a reset to the first byte on another connection', peers: ['hand-written', 'reconnect-core', 'unreset'] },
};

module.exports = { cases };

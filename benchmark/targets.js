'use strict';

/**
 * The figures that the library is to reach, as ratios of two peers in the same rounds: absolute times say more
 * about the machine than about the code.
 *
 * @typedef {object} Target
 * @property {string} case
 * @property {string} peer
 * @property {string} against another peer
 * @property {'rate' | 'loop'} figure calls per second, or event-loop time per call
 * @property {number} [atLeast] the ratio to reach
 * @property {number} [atMost] the ratio not to pass
 */

/**
 * @param {number} nodeMajor the measured Node: from 24 on its built-in fetch is faster
 * @returns {Target[]}
 */
function targets(nodeMajor) {
  return [
    { case: 'json-50', peer: 'unreset', against: 'fetch', figure: 'rate', atLeast: nodeMajor >= 24 ? 3.3 : 4 },
    { case: 'json-50', peer: 'unreset', against: 'fetch', figure: 'loop', atMost: 1 / 6 },
    { case: 'json-50', peer: 'unreset', against: 'undici-request', figure: 'rate', atLeast: 1.2 },
    { case: 'json-50', peer: 'unreset', against: 'undici-request', figure: 'loop', atMost: 1 / 2 },
    { case: 'json-1', peer: 'unreset', against: 'fetch', figure: 'rate', atLeast: 2 },
    { case: '64k-50', peer: 'unreset', against: 'undici-request', figure: 'rate', atLeast: 2 },
    { case: 'stream-1', peer: 'unreset', against: 'undici-fetch', figure: 'rate', atLeast: 1.2 },
    { case: 'stream-1', peer: 'unreset', against: 'undici-fetch', figure: 'loop', atMost: 1 / 2 },
    // Resilience switched on may cost 3 %.
    { case: 'json-50', peer: 'unreset', against: 'unreset-no-retry', figure: 'rate', atLeast: 0.97 },
  ];
}

module.exports = { targets };

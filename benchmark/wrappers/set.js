'use strict';

/**
 * Three processes that take turns: the bare client, the bare client once more, and the wrapped one. What the first two differ
 * by is what this method cannot tell, and stands beside each result.
 */

const path = require('node:path');

const { startProcess } = require('../lib/childProcess');

const CLIENT = path.join(__dirname, 'client.js');

/**
 * Everything on the main thread, so that garbage and compilation are counted as what they are, to the microsecond, by the
 * clock of the process: with helpers, part of what a wrapper leaves behind would be cleared away by nobody. Young garbage in
 * a space of one size, so that it is collected in every block.
 */
const FLAGS = Object.freeze(['--single-threaded', '--min-semi-space-size=1', '--max-semi-space-size=1']);

/**
 * @param {string} pair
 * @param {string | undefined} url of a server; without one the answers come from memory
 * @param {{ inFlight: number, warmUp: number, calls: number, rounds: number }} plan
 * @param {number} number of the set
 * @returns {Promise<{ bare: number, cost: number, twin: number }>} processor time in us per call: the bare client's, what
 *   the wrapped one takes more, and what the bare client takes more than itself
 */
async function measureSet(pair, url, plan, number) {
  const clients = ['bare', 'bare', 'wrapped'].map((side) => startProcess(CLIENT, { pair, side, url, ...plan }, FLAGS));
  try {
    const latest = await Promise.all(clients.map((client) => client.message()));
    const blocks = clients.map(() => []);
    for (let round = 0; round < plan.rounds; round += 1) {
      for (const at of turns(number + round)) {
        clients[at].send('block');
        const now = await clients[at].message();
        blocks[at].push((now - latest[at]) / plan.calls);
        latest[at] = now;
      }
    }
    const [bare, twin, wrapped] = blocks.map(undisturbed);
    return { bare: (bare + twin) / 2, cost: wrapped - (bare + twin) / 2, twin: twin - bare };
  } finally {
    for (const client of clients) client.kill();
  }
}

/** The mean of the lower half: what else a machine does only ever adds to the time of a block. */
function undisturbed(blocks) {
  const lower = blocks.toSorted((a, b) => a - b).slice(0, Math.ceil(blocks.length / 2));
  return lower.reduce((sum, time) => sum + time, 0) / lower.length;
}

/** There and back again, so that whatever gets slower with time does so for all; and each begins as often as the others. */
function turns(round) {
  const there = [0, 1, 2].map((at) => (at + round) % 3);
  return [...there, ...there.toReversed()];
}

module.exports = { measureSet };

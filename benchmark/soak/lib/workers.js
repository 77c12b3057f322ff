'use strict';

/** Workers that come, make calls, and go: most are terminated in the middle, some come to their end. */

const path = require('node:path');
const { once } = require('node:events');
const { Worker } = require('node:worker_threads');

const { Draws } = require('./draws');
const { tell } = require('./lanes');

const PROGRAM = path.join(__dirname, '..', 'worker.js');
/** A worker takes about this long to load and to make its calls (ms): it is terminated at any moment of that. */
const LIFE = 250;
/** The part of them that is not terminated. */
const LASTING = 0.25;
/** Within this (ms) a worker that has made its calls is to end by itself. */
const PATIENCE = 20_000;

/**
 * Lets workers come and go, one after the other.
 *
 * @param {string[]} names
 * @param {{ seed: number, addresses: object }} surroundings
 * @param {import('./lanes').Ends} ends is added to
 */
async function churn(names, { seed, addresses }, ends) {
  for (const name of names) {
    const draws = new Draws(seed, name);
    const worker = new Worker(PROGRAM, { workerData: { name, seed, addresses } });
    worker.on('error', (error) => tell(ends, `worker ${name}: ${error.stack}`));
    worker.on('message', ({ wrong }) => wrong.forEach((sentence) => tell(ends, `worker ${name}: ${sentence}`)));
    const exit = once(worker, 'exit');
    const lasting = draws.fraction('lasting') < LASTING;
    const timer = setTimeout(() => worker.terminate(), lasting ? PATIENCE : draws.fraction('moment') * LIFE);
    const [code] = await exit;
    clearTimeout(timer);
    if (lasting && code !== 0) tell(ends, `worker ${name} made its calls and did not end by itself`);
  }
}

module.exports = { churn };

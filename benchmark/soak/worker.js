'use strict';

/** Makes calls until it is terminated, or has made them all and ends by itself. */

const { parentPort, workerData } = require('node:worker_threads');

const { fetch } = require('../..');
const { noEnds, runInLanes } = require('./lib/lanes');
const { loadOf } = require('./lib/load');

const CALLS = 60;
const LANES = 8;

async function main({ name, seed, addresses }) {
  const ends = noEnds();
  const surroundings = { addresses, lasting: new AbortController().signal };
  const calls = loadOf({ mix: 'usual', seed, prefix: `${name}/`, from: 0, to: CALLS, fetchFor: () => fetch, surroundings });
  await runInLanes(calls, ends, { lanes: LANES });
  const unsettled = ends.unsettled.map((call) => `${call} never settled`);
  if (ends.told.length + unsettled.length > 0) parentPort.postMessage({ wrong: [...ends.told, ...unsettled] });
}

main(workerData);

'use strict';

/**
 * The process under test: makes the calls, lets everything end, and tells its parent what was left behind. Started by
 * `lib/soak.js` with `--expose-gc`; it must then end by itself.
 */

const assert = require('node:assert/strict');
const { getEventListeners } = require('node:events');
const { stat } = require('node:fs/promises');

const { fetch, createFetch } = require('../..');
const { nativeEngine } = require('../../lib/engine/engine');
const { beyondPool, leftBehind } = require('./lib/leaks');
const { connections, holdings } = require('./lib/holdings');
const { LANES, noEnds, runInLanes } = require('./lib/lanes');
const { loadOf } = require('./lib/load');
const { sampleMemory } = require('./lib/memory');
const { startOrigin } = require('./lib/origin');
const { until } = require('./lib/until');
const { churn } = require('./lib/workers');

/** Samples of a run that its number of calls ends: as many as have at least so many calls between them. */
const MOST_ROUNDS = 50;
const LEAST_ROUND = 100;
/** Calls from one sample to the next, where the clock ends the run. */
const ROUND_BY_CLOCK = 2000;
/** One worker for so many calls. */
const CALLS_PER_WORKER = 500;

/** @param {import('./lib/options').SoakOptions & { tls: { key: string, cert: string }, patience: number }} options */
async function main({ mix, calls, minutes, seed, tls, patience }) {
  const leaks = [];
  process.on('warning', ({ name, message }) => leaks.push(`a warning was printed: ${name}: ${message}`));
  const origin = await startOrigin({ seed, tls });
  await begin(origin, patience);
  const before = holdings();

  const ends = noEnds();
  const { lasting, samples } = await play({ mix, calls, minutes, seed, patience, origin, ends, leaks });

  // The idle limit of the pool, or of the server, is waited for.
  await until(() => leftBehind(before, holdings()).length === 0, patience);
  leaks.push(...leftBehind(before, holdings()));
  const atServer = await origin.connections();
  if (atServer > 0) leaks.push(`the servers still have ${atServer} connections`);
  const listeners = getEventListeners(lasting, 'abort').length;
  if (listeners > 0) leaks.push(`${listeners} listeners were left on a signal`);

  process.send({ ends, samples, leaks });
  await origin.stop();
  process.disconnect();
}

/** Whatever starts with the first call is there, and nothing of that call. */
async function begin(origin, patience) {
  const { plain, secure, multiplexed, proxied } = origin.addresses;
  for (const address of [plain, secure, multiplexed, proxied]) await (await fetch(`${address}/json`)).json();
  // The first worker would open them.
  assert.ok(process.stdout && process.stderr);
  // Node starts the threads of its pool with the first file, one for each that waits.
  await Promise.all(Array.from({ length: 8 }, () => stat(__filename)));
  origin.closeIdleConnections();
  if (!(await until(() => Object.keys(connections()).length === 0, patience))) {
    throw new Error('the connections of the first calls do not go away although the server closes them');
  }
}

async function play({ mix, calls, minutes, seed, patience, origin, ends, leaks }) {
  const end = performance.now() + minutes * 60_000;
  const step = Number.isFinite(calls) ? Math.max(Math.ceil(calls / MOST_ROUNDS), LEAST_ROUND) : ROUND_BY_CLOCK;
  const lasting = new AbortController().signal;
  const surroundings = { addresses: origin.addresses, lasting };
  const samples = [];
  for (let from = 0, round = 0; from < calls && performance.now() < end; from += step, round++) {
    const to = Math.min(from + step, calls);
    await playRound({ mix, seed, from, to, round, surroundings, ends });
    if (ends.unsettled.length > 0) break;
    const stillOpen = await quiet(patience);
    if (stillOpen > 0) leaks.push(`${stillOpen} calls were still open after call ${to}, when all had settled`);
    leaks.push(...beyondPool(connections(), LANES));
    samples.push(sampleMemory(to));
    process.send({ sample: samples.at(-1), wrong: ends.wrong });
    if (leaks.length > 0) break;
  }
  return { lasting, samples };
}

/** Half of the calls are made by a client of their own, which goes with the round. */
async function playRound({ mix, seed, from, to, round, surroundings, ends }) {
  const own = createFetch();
  const fetchFor = (number) => (number % 2 === 0 ? fetch : own);
  const workers = mix === 'failing' ? [] : workersOf(from, to, round);
  await Promise.all([
    runInLanes(loadOf({ mix, seed, from, to, fetchFor, surroundings }), ends),
    churn(workers, { seed, addresses: surroundings.addresses }, ends),
  ]);
}

/** @returns {string[]} the names of those that come and go beside these calls */
function workersOf(from, to, round) {
  const count = Math.floor(to / CALLS_PER_WORKER) - Math.floor(from / CALLS_PER_WORKER);
  return Array.from({ length: count }, (_, index) => `w${round}.${index}`);
}

/** Waits until what was dropped is collected. @returns {Promise<number>} calls that are open all the same */
async function quiet(patience) {
  await until(() => nativeEngine().openCalls === 0, patience);
  return nativeEngine().openCalls;
}

process.once('message', main);

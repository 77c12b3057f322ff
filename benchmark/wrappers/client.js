'use strict';

/**
 * One client, bare or wrapped, in a process of its own: so its garbage is collected at its own cost, and what V8 has learnt
 * is about this client. Started with a JSON argument; answers each message with the processor time that the process has
 * taken until then, after one more block of calls.
 */

const { isDeepStrictEqual } = require('node:util');

const { answerInMemory } = require('./memory');
const { pairs } = require('./pairs');

/**
 * @param {object} job
 * @param {string} job.pair
 * @param {'bare' | 'wrapped'} job.side
 * @param {string} [job.url] of a server; without one the answers come from memory
 * @param {number} job.inFlight
 * @param {number} job.warmUp calls before the first block
 * @param {number} job.calls in a block
 */
async function serve({ pair, side, url = 'http://127.0.0.1:8000/json', inFlight, warmUp, calls, ...job }) {
  if (job.url === undefined) answerInMemory();
  const both = await pairs[pair].make();
  if (!isDeepStrictEqual(await both.wrapped(url), await both.bare(url))) throw new Error(`${pair} answers differently when wrapped`);
  const call = both[side];
  await callAll(() => call(url), warmUp, inFlight);
  process.on('message', async () => {
    await callAll(() => call(url), calls, inFlight);
    process.send(processorTime());
  });
  process.send(processorTime());
}

/** So many calls, so many at a time. */
async function callAll(call, calls, inFlight) {
  let left = calls;
  const callAfterCall = async () => {
    while (left > 0) {
      left -= 1;
      await call();
    }
  };
  await Promise.all(Array.from({ length: inFlight }, callAfterCall));
}

/** Of the process, in microseconds: with `--single-threaded` that is the main thread's, and nothing is done elsewhere. */
function processorTime() {
  const { user, system } = process.cpuUsage();
  return user + system;
}

serve(JSON.parse(process.argv[2])).catch((error) => {
  console.error(error);
  process.exit(1);
});

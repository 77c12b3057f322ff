'use strict';

/**
 * One pair, in a process of its own: blocks of calls by the bare client and by the wrapped one in turn, so that both meet
 * the same heap, compiler and machine. Started by run.js with a JSON argument, prints one line of JSON.
 */

const { isDeepStrictEqual } = require('node:util');

const { pairs } = require('./pairs');
const { readClocks, perCall, loopSource } = require('../lib/clocks');

/**
 * @param {object} job
 * @param {string} job.pair
 * @param {string} job.url
 * @param {number} job.serverPid
 * @param {number} job.inFlight
 * @param {number} job.blocks of each client
 * @param {number} job.calls in a block
 */
async function measure({ pair, url, serverPid, inFlight, blocks, calls }) {
  const { bare, wrapped } = await pairs[pair].make();
  const answer = await bare(url);
  if (!isDeepStrictEqual(await wrapped(url), answer)) throw new Error(`${pair} gives another answer when it is wrapped`);

  const block = async (call) => {
    const begin = readClocks(serverPid);
    await callAll(() => call(url), calls, inFlight);
    return perCall(begin, readClocks(serverPid), calls).loop;
  };
  // The first of each compile the code.
  for (const call of [bare, wrapped, bare, wrapped]) await block(call);
  const rounds = [];
  for (let round = 0; round < blocks; round += 1) {
    // Who goes first has what the other one's garbage costs: they take turns in that, too.
    if (round % 2 === 0) rounds.push({ bare: await block(bare), wrapped: await block(wrapped) });
    else rounds.push({ wrapped: await block(wrapped), bare: await block(bare) });
  }
  return { version: pairs[pair].version, loopSource, rounds };
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

measure(JSON.parse(process.argv[2])).then(
  (result) => process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0)),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);

'use strict';

/**
 * One client plays one script, in a process of its own. It tells when it is ready, waits for the word, makes each call
 * at its time whatever became of the others, and tells what each came to.
 *
 * Calls begin by the clock and not one after the other: users do not wait for each other, and a client that fails fast
 * must not get to make more calls during an outage than one that waits.
 */

const { once } = require('node:events');
const { performance } = require('node:perf_hooks');
const { setTimeout: sleep } = require('node:timers/promises');

const { checkBody } = require('./lib/bodies');
const { row, targetOf } = require('./lib/calls');
const { loadPeer } = require('./lib/peers');
const { loadScript } = require('./lib/scripts');
const { errorCode } = require('../lib/errorCode');

/** Calls that load what is loaded at first use, so that the script does not measure that. */
const WARM_UP = 5;
/** What a client may still be doing behind its caller's back when the last call has settled, in ms. */
const AFTERMATH = 300;

/**
 * @typedef {object} Outcome
 * @property {string} id of the call
 * @property {'right' | 'wrong' | 'failed' | 'hung'} result
 * @property {string} [detail] of a wrong one what is wrong, of a failed one the error's code
 * @property {number} ms
 */

/** @param {{ peer: string, script: string, seed: number, quick: boolean, origin: string, bound: number }} job */
async function play(job) {
  // A client that lets go of a promise would end the process here; what the caller sees is counted all the same.
  let unheard = 0;
  process.on('unhandledRejection', () => { unheard += 1; });

  const peer = loadPeer(job.peer);
  await peer.setup();
  for (const call of row({ count: WARM_UP, every: 0, method: 'GET', name: 'warm-up' })) {
    await peer.get(job.origin + targetOf(call));
  }
  process.send({ ready: true });
  await once(process, 'message');

  const begun = performance.now();
  const outcomes = await Promise.all(
    loadScript(job.script).calls(job).map(async (call) => {
      await sleep(Math.max(0, begun + call.at - performance.now()));
      return makeCall(peer, call, job);
    })
  );
  await sleep(AFTERMATH);
  return { version: peer.version, outcomes, unheard };
}

/** @returns {Promise<Outcome>} */
async function makeCall(peer, call, { origin, seed, bound }) {
  const url = origin + targetOf(call);
  const begun = performance.now();
  const timer = new AbortController();
  const hung = sleep(bound, { result: 'hung' }, { signal: timer.signal });
  hung.catch(() => {}); // ended below, when the call has settled first
  const answered = call.method === 'POST' ? peer.post(url, { id: call.id }) : peer.get(url);
  const judged = answered.then(
    (bytes) => judge(bytes, seed, call),
    (error) => ({ result: 'failed', detail: errorCode(error) })
  );
  const outcome = await Promise.race([judged, hung]);
  const ms = performance.now() - begun;
  timer.abort();
  return { id: call.id, ...outcome, ms };
}

function judge(bytes, seed, call) {
  // Not an answer that is wrong but none at all: whoever uses it finds out.
  if (bytes === undefined) return { result: 'failed', detail: 'undefined' };
  const found = checkBody(bytes, seed, call);
  return found === 'right' ? { result: 'right' } : { result: 'wrong', detail: found };
}

play(JSON.parse(process.argv[2])).then(
  // Idle connections may keep a process alive: nothing is left to wait for.
  (result) => process.send({ result }, () => process.exit(0)),
  (error) => {
    console.error(error);
    process.exit(1);
  }
);

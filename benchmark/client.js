'use strict';

/**
 * One measurement in a process of its own: one peer, one case. Started by run.js with a JSON argument, prints
 * one line of JSON. A fresh process means that no peer inherits another's heap, compiled code or connections.
 *
 * The calls run through the warm-up into the measured window without a pause, so that both ends of the window
 * see the same steady state.
 */

const crypto = require('node:crypto');
const { performance } = require('node:perf_hooks');
const { setTimeout: sleep } = require('node:timers/promises');
const { isAnyArrayBuffer } = require('node:util/types');

const { cases } = require('./cases');
const { readClocks, perCall, loopSource } = require('./lib/clocks');
const { Latencies } = require('./lib/latencies');
const { loadPeer } = require('./lib/peers');
const { readThreads, usePerCall } = require('./lib/threads');

/** How often the warm-up looks whether it is over, in ms. */
const WARM_UP_LOOK = 20;

/**
 * @param {object} job
 * @param {string} job.peer
 * @param {string} job.case
 * @param {string} job.origin of the server
 * @param {string} job.tlsOrigin the same over TLS
 * @param {number} job.serverPid
 * @param {{ calls: number, atLeast: number, atMost: number }} job.warmUp see lib/options.js
 * @param {number} job.window ms
 * @param {boolean} [job.threads] tell what each thread used, too
 */
async function measure(job) {
  const { operation, path: pathname, tls, inFlight, check, digest } = cases[job.case];
  const peer = loadPeer(job.peer);
  await peer.setup();

  const url = (tls ? job.tlsOrigin : job.origin) + pathname;
  const wrongAnswer = () => new Error(`${job.peer} gave a wrong answer to ${job.case}`);
  const first = await Promise.all(Array.from({ length: inFlight }, () => peer[operation](url)));
  if (!first.every((answer) => check(answer) && (!digest || digestOf(answer) === digest))) throw wrongAnswer();

  const latencies = new Latencies();
  const run = { isOver: false };
  async function callAfterCall() {
    while (!run.isOver) {
      const begun = performance.now();
      const answer = await peer[operation](url);
      latencies.add(performance.now() - begun);
      if (!check(answer)) throw wrongAnswer();
    }
  }
  const callers = Promise.all(Array.from({ length: inFlight }, callAfterCall));

  await Promise.race([warmUp(job.warmUp, latencies), callers]);
  latencies.clear();
  const threadsBefore = job.threads && readThreads();
  const begin = readClocks(job.serverPid);
  await Promise.race([sleep(job.window), callers]);
  const end = readClocks(job.serverPid);
  const threads = threadsBefore && usePerCall(threadsBefore, readThreads(), latencies.total);
  const calls = latencies.total;
  if (calls === 0) throw new Error(`not one call of ${job.case} ended within ${job.window} ms`);

  const figures = {
    calls,
    ...perCall(begin, end, calls),
    p50: latencies.quantile(0.5),
    p99: latencies.quantile(0.99),
    // Of the whole process since its start, Node itself included; the kernel counts in KiB.
    peakMemory: process.resourceUsage().maxRSS / 1024,
  };
  run.isOver = true;
  await callers;
  return { version: peer.version, node: process.version, loopSource, figures, threads };
}

/** What was parsed is written out again: the server's JSON is what `JSON.stringify` gives. */
function digestOf(answer) {
  const isBytes = ArrayBuffer.isView(answer) || isAnyArrayBuffer(answer);
  const content = isBytes ? new Uint8Array(answer) : JSON.stringify(answer);
  return crypto.createHash('sha256').update(content).digest('hex');
}

/** Waits until so many calls have ended, and not less or more than so many ms. */
async function warmUp({ calls, atLeast, atMost }, latencies) {
  const begun = performance.now();
  await sleep(atLeast);
  while (latencies.total < calls && performance.now() - begun < atMost) await sleep(WARM_UP_LOOK);
}

measure(JSON.parse(process.argv[2])).then(
  // Idle connections may keep a process alive: nothing is left to wait for.
  (result) => process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0)),
  (error) => {
    console.error(error);
    process.exit(1);
  }
);

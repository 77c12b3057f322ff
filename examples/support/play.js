'use strict';

/** Plays a scenario: each variant in its own process, against servers that start their script anew. */

const path = require('node:path');
const { fork } = require('node:child_process');
const { once } = require('node:events');

/** In the order in which they are shown. `repaired` and `wrapped` are optional. */
const VARIANTS = ['plain', 'usual', 'repaired', 'wrapped', 'ours'];
/** What must keep the promises. */
const OF_OURS = ['wrapped', 'ours'];

/** A variant that has not ended by now (ms) hangs; it is ended, and that is reported. A scenario may have a `patience` of its own. */
const PATIENCE = 15_000;

/**
 * @typedef {object} Run  what happened when one variant was played
 * @property {string} variant
 * @property {string} label
 * @property {{ call: string, outcome: 'succeeded' | 'wrong' | 'failed', saw?: string, error?: object,
 *   recovery?: object }[]} outcomes  one per call; a call that never settled has `saw: 'nothing'`
 * @property {string[]} printed     the lines that the program printed
 * @property {string} ended         'by itself', or how else
 * @property {{ line: string, at: number, did: string }[]} requests  what the server saw
 * @property {{ succeeded: number, wrong: number, failed: number }} counts
 * @property {number} duplicates    work that the server did again
 * @property {number} took          ms
 */

/**
 * @param {string} file  a scenario's file
 * @returns {Promise<{ number: number, title: string, story: string, runs: Run[],
 *   promises: { claim: string, kept: boolean }[] }>}
 */
async function play(file) {
  const scenario = require(file);
  const { number, title, story, calls } = scenario;

  const runs = [];
  for (const variant of VARIANTS.filter((name) => scenario[name])) {
    runs.push(await playVariant(scenario, file, variant));
  }
  const promises = runs.filter(({ variant }) => OF_OURS.includes(variant)).flatMap((run) => promisesOf(run, scenario));
  return { number, title, story, calls, runs, promises };
}

function promisesOf(run, scenario) {
  const promises = [
    ...scenario.promises(run),
    { claim: 'the process ended by itself', kept: run.ended === 'by itself' },
  ];
  return promises.map(({ claim, kept }) => ({ claim: `${run.variant}: ${claim}`, kept }));
}

async function playVariant(scenario, file, variant) {
  const world = await scenario.start();
  const began = performance.now();
  const child = fork(path.join(__dirname, 'child.js'), [file, variant, JSON.stringify(world.address)], {
    silent: true,
  });

  const reported = [];
  child.on('message', (outcome) => reported.push(outcome));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => { output += text; });
  }
  const patience = setTimeout(() => child.kill('SIGKILL'), scenario.patience ?? PATIENCE);
  const [code, signal] = await once(child, 'close');
  clearTimeout(patience);
  const took = Math.round(performance.now() - began);
  await world.close();

  const outcomes = scenario.calls.map(({ name }) => reported.find(({ call }) => call === name)
    ?? { call: name, outcome: 'failed', saw: 'nothing' });
  const count = (wanted) => outcomes.filter(({ outcome }) => outcome === wanted).length;
  return {
    variant,
    label: scenario[variant].label,
    outcomes,
    printed: output.split('\n').filter(Boolean),
    ended: signal ? `killed by ${signal}` : code === 0 ? 'by itself' : `with exit code ${code}`,
    requests: world.requests,
    counts: { succeeded: count('succeeded'), wrong: count('wrong'), failed: count('failed') },
    duplicates: world.duplicates(),
    took,
  };
}

module.exports = { play };

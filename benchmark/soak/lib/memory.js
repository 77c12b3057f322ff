'use strict';

/**
 * Does memory grow with the calls? Judged by the slope of samples that are taken when all calls have ended and the garbage
 * is collected, from the end of the warm-up on.
 *
 * What is allowed is a growth over the whole run, not per call: what a run without a leak gains (fragments of the
 * allocator's blocks, code that the compiler adds, tables that reach their size) does not grow with its length, and
 * so a longer run finds a smaller leak.
 */

const { slope } = require('./slope');

const MIB = 2 ** 20;
/** Calls until caches, code and the allocator's blocks have their size; of a short run, its first third. */
const WARM_UP = 10_000;
/** Fewer say nothing about a slope. */
const LEAST_SAMPLES = 5;
/** A run that is not much longer than the warm-up says nothing about resident memory: with workers it took 40 000 to level off. */
const LEAST_FOR_RESIDENT = 50_000;

/**
 * What each may gain over a run. Resident memory is the one that knows of Rust's; a page that is in use by one small block
 * counts whole there, so it is the coarsest.
 */
const MEASURES = [
  { key: 'resident', name: 'resident memory', allowed: 24 * MIB },
  { key: 'heap', name: "JavaScript's heap", allowed: MIB },
  { key: 'external', name: 'memory of buffers', allowed: MIB },
];

/**
 * @typedef {object} Sample  in bytes, when so many calls had ended
 * @property {number} calls
 * @property {number} resident
 * @property {number} heap
 * @property {number} external
 */

/** @param {number} calls @returns {Sample} of this process, now */
function sampleMemory(calls) {
  // At once before it: to look at anything else first makes garbage of its own.
  globalThis.gc();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { calls, resident: rss, heap: heapUsed, external };
}

/**
 * @param {Sample[]} samples
 * @returns {{ key: string, name: string, allowed: number, grown: number, perCall: number }[]} `grown`: bytes from the end of the
 *   warm-up to the end of the run; without those of which the run is too short to tell
 */
function growthOf(samples) {
  const last = samples.at(-1)?.calls ?? 0;
  const warm = Math.min(WARM_UP, last / 3);
  const judged = samples.filter(({ calls }) => calls >= warm);
  if (judged.length < LEAST_SAMPLES) return [];
  const calls = last - judged[0].calls;
  const telling = MEASURES.filter(({ key }) => key !== 'resident' || last >= LEAST_FOR_RESIDENT);
  return telling.map((measure) => {
    const perCall = slope(judged.map((sample) => ({ x: sample.calls, y: sample[measure.key] })));
    return { ...measure, perCall, grown: perCall * calls };
  });
}

/**
 * @param {ReturnType<typeof growthOf>} growth
 * @returns {string[]} a sentence for each that grew more than it may
 */
function memoryLeaks(growth) {
  return growth.filter(({ grown, allowed }) => grown > allowed).map(({ name, grown, perCall, allowed }) =>
    `${name} grew by ${mib(grown)} MiB after the warm-up, ${Math.round(perCall)} bytes with each call; ` +
    `${mib(allowed)} MiB are allowed`);
}

const mib = (bytes) => (bytes / MIB).toFixed(1);

module.exports = { sampleMemory, growthOf, memoryLeaks, mib, MEASURES };

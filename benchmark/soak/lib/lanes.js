'use strict';

/** Runs calls, so many at a time, and tells which ended otherwise than they may, and which did not end at all. */

/** Calls at a time. */
const LANES = 50;
/** Nothing here takes a tenth of it (ms). */
const PATIENCE = 30_000;
/** More would only repeat the first. */
const MOST_TOLD = 5;

/**
 * @typedef {object} Ends
 * @property {number} settled
 * @property {number} wrong
 * @property {string[]} told the first of the wrong ones
 * @property {string[]} unsettled names of calls that did not end
 */

/** @returns {Ends} */
function noEnds() {
  return { settled: 0, wrong: 0, told: [], unsettled: [] };
}

/**
 * @param {Iterator<{ name: string, run: () => Promise<void> }>} calls
 * @param {Ends} ends is added to
 * @param {{ lanes?: number, patience?: number }} [options]
 */
async function runInLanes(calls, ends, { lanes = LANES, patience = PATIENCE } = {}) {
  /** Names of those that run. */
  const running = new Set();
  const lane = async () => {
    for (let { done, value: call } = calls.next(); !done; { done, value: call } = calls.next()) {
      running.add(call.name);
      try {
        await call.run();
      } catch (error) {
        tell(ends, `${call.name}: ${error.message.replace(/\s+/g, ' ')}`);
      }
      running.delete(call.name);
      ends.settled++;
    }
  };
  const all = Promise.all(Array.from({ length: lanes }, lane));
  const stuck = watchProgress(ends, patience);
  await Promise.race([all, stuck.promise]);
  stuck.stop();
  ends.unsettled.push(...running);
}

function tell(ends, sentence) {
  ends.wrong++;
  if (ends.told.length < MOST_TOLD) ends.told.push(sentence);
}

/** Its promise resolves when nothing has settled for the time of `patience`. */
function watchProgress(ends, patience) {
  let timer;
  const promise = new Promise((resolve) => {
    let last = -1;
    timer = setInterval(() => {
      if (ends.settled === last) resolve();
      last = ends.settled;
    }, patience);
  });
  return { promise, stop: () => clearInterval(timer) };
}

module.exports = { runInLanes, noEnds, tell, LANES };

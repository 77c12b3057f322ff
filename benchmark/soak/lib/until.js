'use strict';

/** ms */
const STEP = 20;

/**
 * Collects garbage and lets finalizers and sockets have their turns until the condition holds.
 *
 * @param {() => boolean | Promise<boolean>} condition
 * @param {number} patience in ms
 * @returns {Promise<boolean>} whether it came to hold in time
 */
async function until(condition, patience) {
  const end = performance.now() + patience;
  for (;;) {
    globalThis.gc();
    await turn();
    if (await condition()) return true;
    if (performance.now() > end) return false;
  }
}

/** What is collected is told to finalizers in a later turn of the event loop. */
function turn() {
  return new Promise((resolve) => {
    setTimeout(resolve, STEP);
  });
}

module.exports = { until };

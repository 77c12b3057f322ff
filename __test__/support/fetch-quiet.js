'use strict';

/** A count that has not changed for this long (ms), while nothing hindered it, stands still. */
const QUIET = 250;

/**
 * Waits until what is measured stands still: for tests in which the right outcome is that nothing more happens.
 * An early return cannot fail such a test, only make it less strict.
 *
 * @param {() => number} measure
 */
async function untilQuiet(measure) {
  let last;
  do {
    last = measure();
    await new Promise((resolve) => {
      setTimeout(resolve, QUIET);
    });
  } while (measure() !== last);
}

module.exports = { untilQuiet };

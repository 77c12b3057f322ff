'use strict';

/** Longer calls count as this long. */
const LONGEST_US = 4_000_000;

/**
 * Latencies counted by the microsecond. A fixed table costs a call one addition, grows nothing while measuring,
 * and only the pages that are touched become resident.
 */
class Latencies {
  #counts = new Uint32Array(LONGEST_US + 1);
  #total = 0;

  /** @param {number} ms how long one call took */
  add(ms) {
    this.#counts[Math.min(Math.round(ms * 1e3), LONGEST_US)] += 1;
    this.#total += 1;
  }

  clear() {
    this.#counts.fill(0);
    this.#total = 0;
  }

  get total() {
    return this.#total;
  }

  /**
   * @param {number} part 0.5 for the median
   * @returns {number} in ms: that part of the calls took no longer
   */
  quantile(part) {
    const wanted = Math.ceil(this.#total * part);
    let seen = 0;
    for (let us = 0; us <= LONGEST_US; us += 1) {
      seen += this.#counts[us];
      if (seen >= wanted) return us / 1e3;
    }
    return NaN;
  }
}

module.exports = { Latencies };

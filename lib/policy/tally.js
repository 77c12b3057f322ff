'use strict';

/**
 * Calls that have begun and that the native policy does not know of yet.
 *
 * To tell it of each costs a wrapped call more than all the rest (1 us in a loop of nothing else, 5 us among other work),
 * and nobody asks how many there were before one of them fails. The budget counts by seconds: so calls are handed over
 * when their second is over, and before anybody asks. A native client under the same policy may decide by a count that
 * lacks those of the current second, which errs on the side of fewer retries.
 */

/** Beyond so many origins they are handed over at once. */
const MOST_ORIGINS = 1_000;

class Tally {
  /** @type {Map<string, number>} calls by origin */
  #calls = new Map();
  #second = 0;
  /** When the latest of them began, by `performance.now()`. */
  #latest = 0;

  /**
   * @param {import('./policy').Policy} policy of those that share it
   * @param {string} origin
   * @param {number} now `performance.now()`
   */
  add(policy, origin, now) {
    const second = Math.floor(now / 1_000);
    if (second !== this.#second || this.#calls.size >= MOST_ORIGINS) {
      this.handOver(policy);
      this.#second = second;
    }
    this.#latest = now;
    this.#calls.set(origin, (this.#calls.get(origin) ?? 0) + 1);
  }

  /** @param {import('./policy').Policy} policy */
  handOver(policy) {
    if (this.#calls.size === 0) return;
    const { native } = policy;
    for (const [origin, calls] of this.#calls) native.countAll(origin, calls, this.#latest);
    this.#calls.clear();
  }
}

module.exports = { Tally };

'use strict';

const { draw } = require('../../recovery/lib/random');

/**
 * What is left to chance about one call. It follows from the seed and the call's number alone, so a run can be had again
 * from its seed however its calls interleave.
 */
class Draws {
  #seed;
  #call;

  /**
   * @param {number} seed of the run
   * @param {string | number} call
   */
  constructor(seed, call) {
    this.#seed = seed;
    this.#call = call;
  }

  /** In [0, 1). @param {string} what it is for: two questions about one call get answers of their own */
  fraction(what) {
    return draw(this.#seed, this.#call, what);
  }

  /** From `least` to `most`, both included. */
  integer(what, least, most) {
    return least + Math.floor(this.fraction(what) * (most - least + 1));
  }

  /** @template T @param {string} what @param {readonly T[]} list @returns {T} */
  pick(what, list) {
    return list[Math.floor(this.fraction(what) * list.length)];
  }
}

module.exports = { Draws };

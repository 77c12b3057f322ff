'use strict';

/** What is left of the time that a call may wait for a connection. Only waiting is counted, over all its attempts. */
class Patience {
  /** @param {number} milliseconds */
  constructor(milliseconds) {
    /** The whole of it, which is what an error tells. */
    this.whole = milliseconds;
    this.left = milliseconds;
  }

  /**
   * @template T
   * @param {() => Promise<T>} wait
   * @returns {Promise<T>}
   */
  async spend(wait) {
    const began = performance.now();
    try {
      return await wait();
    } finally {
      this.left = Math.max(0, this.left - (performance.now() - began));
    }
  }
}

module.exports = { Patience };

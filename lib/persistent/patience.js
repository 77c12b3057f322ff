'use strict';

/** What is left of the time that a call may wait for a connection. Only waiting is counted, over all its attempts. */
class Patience {
  /** @param {number} milliseconds */
  constructor(milliseconds) {
    this.left = milliseconds;
  }

  /**
   * @template T
   * @param {(left: number) => Promise<T>} wait
   * @returns {Promise<T>}
   */
  async spend(wait) {
    const began = performance.now();
    try {
      return await wait(this.left);
    } finally {
      this.left -= performance.now() - began;
    }
  }
}

module.exports = { Patience };

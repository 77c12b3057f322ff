'use strict';

/** How much the bucket holds, in s of its refilling: a moment's burst is answered. */
const BURST = 0.2;
/** How far refusals can push it below empty, in s: a queue of refusals is as bounded as any. */
const DEBT = 1;

/**
 * The capacity of a server as a token bucket. A refusal costs as well: a server that is busy refusing has less left to
 * answer with, and that is how retries keep an overload alive.
 */
class Bucket {
  #perSecond;
  #refusalCost;
  #tokens;
  #at = 0;

  /** @param {{ perSecond: number, refusalCost: number }} capacity */
  constructor({ perSecond, refusalCost }) {
    this.#perSecond = perSecond;
    this.#refusalCost = refusalCost;
    this.#tokens = perSecond * BURST;
  }

  /**
   * @param {number} now ms, on any clock that does not go back
   * @returns {boolean} whether there is capacity for this request
   */
  take(now) {
    const earned = ((now - this.#at) / 1000) * this.#perSecond;
    this.#at = now;
    this.#tokens = Math.min(this.#tokens + earned, this.#perSecond * BURST);
    const has = this.#tokens >= 1;
    this.#tokens = Math.max(this.#tokens - (has ? 1 : this.#refusalCost), -this.#perSecond * DEBT);
    return has;
  }
}

module.exports = { Bucket };

'use strict';

/** One connection, from its making to its loss; of a pool, and of a client that heals itself, one stretch of being up. */

/** Milliseconds. One that has lasted so long has proved itself, used or not. */
const MIN_UPTIME = 5_000;

class Session {
  #whenLost = new Set();

  constructor() {
    this.connection = undefined;
    /** Why it is gone, as far as that is known. @type {{ error: unknown, fault: import('../..').Fault } | undefined} */
    this.loss = undefined;
    this.since = performance.now();
    this.usedAt = this.since;
    /** Something failed on it: it is tested before it is used again. */
    this.isSuspect = false;
    this.hasServed = false;
    /** Calls that run on it. */
    this.running = 0;
  }

  /** Ms. */
  get uptime() {
    return performance.now() - this.since;
  }

  /** How long nobody has used it, ms. */
  get idle() {
    return this.running > 0 ? 0 : performance.now() - this.usedAt;
  }

  get hasProvedItself() {
    return this.hasServed || this.uptime >= MIN_UPTIME;
  }

  /** @param {(loss: { error: unknown, fault: import('../..').Fault }) => void} listener called once, if it is lost */
  onceLost(listener) {
    this.#whenLost.add(listener);
    return () => this.#whenLost.delete(listener);
  }

  end(loss) {
    this.loss = loss;
    for (const listener of this.#whenLost) listener(loss);
    this.#whenLost.clear();
  }
}

module.exports = { Session };

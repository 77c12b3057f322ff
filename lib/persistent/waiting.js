'use strict';

/**
 * Those who wait for a connection: no more than a bound, none for longer than its patience. Their timers are what keeps the
 * process alive while there is no connection; all other timers of this folder do not.
 */

const { reasonOf, unwatch, watch } = require('../abort');
const { LONGEST_TIMER } = require('../validate');
const { fullError } = require('./faults');

class Waiting {
  #most;
  #entries = new Set();

  /** @param {number} most */
  constructor(most) {
    this.#most = most;
  }

  get size() {
    return this.#entries.size;
  }

  /**
   * @param {object} limits
   * @param {number} limits.patience ms, or `Infinity`
   * @param {AbortSignal} [limits.signal]
   * @param {() => Error} onImpatience what to fail with then
   * @returns {Promise<unknown>} what {@link Waiting#admit} is given
   */
  async add({ patience, signal }, onImpatience) {
    if (signal?.aborted) throw reasonOf(signal);
    if (patience <= 0) throw onImpatience();
    if (this.#entries.size >= this.#most) throw fullError();
    return new Promise((resolve, reject) => {
      const entry = { resolve: (value) => end(resolve, value), abort: (error) => end(reject, error) };
      const timer = setTimeout(() => entry.abort(onImpatience()), Math.min(patience, LONGEST_TIMER));
      const end = (settle, value) => {
        clearTimeout(timer);
        this.#entries.delete(entry);
        if (signal !== undefined) unwatch(signal, entry);
        settle(value);
      };
      if (signal !== undefined) watch(signal, entry);
      this.#entries.add(entry);
    });
  }

  admit(value) {
    for (const entry of this.#entries) entry.resolve(value);
  }

  /** @param {() => Error} makeError one for each */
  refuse(makeError) {
    for (const entry of this.#entries) entry.abort(makeError());
  }
}

module.exports = { Waiting };

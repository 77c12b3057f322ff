'use strict';

/**
 * As much of an AbortSignal as this package needs inside of a call. A real one, with its controller and listeners, costs
 * several times what the rest of a call does; the function of a call gets one when it looks at its own.
 */
class Ending {
  aborted = false;
  reason = undefined;
  #listeners = new Set();

  abort(reason) {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }

  /** @param {'abort'} _ */
  addEventListener(_, listener) {
    this.#listeners.add(listener);
  }

  /** @param {'abort'} _ */
  removeEventListener(_, listener) {
    this.#listeners.delete(listener);
  }
}

module.exports = { Ending };

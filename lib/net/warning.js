'use strict';

/**
 * A socket that comes back by itself can be away for hours without anybody noticing. A program that listens for it is
 * told; one that does not is warned, once for each socket.
 */

/** Milliseconds. */
const AFTER = 30_000;

class Warning {
  #what;
  #isHeard;
  #timer;
  #warned = false;

  /**
   * @param {string} what it is, in words
   * @param {() => boolean} isHeard whether the program would be told
   */
  constructor(what, isHeard) {
    this.#what = what;
    this.#isHeard = isHeard;
  }

  /** It is down, and has been since the first call of these. */
  start(fault) {
    if (this.#warned || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.#warn(fault), AFTER).unref();
  }

  stop() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #warn({ code, address, port }) {
    if (this.#isHeard()) return;
    this.#warned = true;
    const peer = [address, port].filter((part) => part !== undefined).join(':');
    process.emitWarning(
      `A ${this.#what}${peer && ` to ${peer}`} has been down for ${AFTER / 1000} s (${code}) and goes on trying. `
        + "Listen for 'disconnect' or 'reconnecting' to know, or limit `reconnect`.",
      { type: 'UnresetWarning', code: 'UNRESET_SOCKET_DOWN' },
    );
  }
}

module.exports = { Warning };

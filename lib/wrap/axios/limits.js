'use strict';

/** What ends a call from outside: the caller, by a signal or a token, and the end of its time. */

/**
 * The caller's word, as one signal.
 *
 * @param {object} config its `signal`, its `cancelToken`, or both
 * @returns {{ signal: AbortSignal | undefined, release(): void }} `release`: the call is over, nothing is to be left on them
 */
function callerOf({ signal, cancelToken }) {
  const given = typeof signal?.addEventListener === 'function' ? signal : undefined;
  if (!cancelToken) return given === undefined ? NOBODY : { signal: given, release: nothing };

  const controller = new AbortController();
  const abort = () => controller.abort();
  if (given?.aborted) abort();
  given?.addEventListener('abort', abort);
  cancelToken.subscribe(abort);
  return {
    signal: controller.signal,
    release() {
      given?.removeEventListener('abort', abort);
      cancelToken.unsubscribe(abort);
    },
  };
}

/** The end of the whole call, for the attempt that is running: axios ends it for a signal. */
class Deadline {
  #controller = new AbortController();
  #caller;
  #timer;

  /** @param {AbortSignal} [caller] ends the attempt too, since there is room for one signal only */
  constructor(caller) {
    this.#caller = caller;
    this.passed = false;
    caller?.addEventListener('abort', this.#abort);
    if (caller?.aborted) this.#abort();
  }

  get signal() {
    return this.#controller.signal;
  }

  /** @param {number} left ms */
  start(left) {
    this.#timer = setTimeout(() => {
      this.passed = true;
      this.#abort();
    }, left);
  }

  stop() {
    clearTimeout(this.#timer);
  }

  release() {
    this.stop();
    this.#caller?.removeEventListener('abort', this.#abort);
  }

  #abort = () => this.#controller.abort();
}

const NOBODY = Object.freeze({ signal: undefined, release: nothing });

function nothing() {}

module.exports = { callerOf, Deadline };

'use strict';

/** What ends a call from outside: the caller, by a signal or a token, and the end of its time. */

// Taken once: a test that fakes timers later does not stop it.
const { setImmediate } = require('node:timers');
const { unwatch, watch } = require('../../abort');

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
  const abort = (reason) => controller.abort(reason);
  const link = linked(given, { abort });
  cancelToken.subscribe(abort);
  return {
    signal: controller.signal,
    release() {
      link.release();
      cancelToken.unsubscribe(abort);
    },
  };
}

/** The end of the whole call, for the attempt that is running: axios ends it for a signal. */
class Deadline {
  #controller = new AbortController();
  #link;

  /** @param {AbortSignal} [caller] ends the attempt too, since there is room for one signal only */
  constructor(caller) {
    this.passed = false;
    this.#link = linked(caller, this.#controller);
  }

  get signal() {
    return this.#controller.signal;
  }

  /**
   * Rejects when time is up, whatever the attempt does: not every adapter heeds its signal.
   *
   * @template T
   * @param {() => Promise<T>} attempt
   * @param {number} left ms
   * @param {(late: T) => void} discard what comes when nobody waits for it any more
   * @returns {Promise<T>}
   */
  async limit(attempt, left, discard) {
    let timer;
    const expired = new Promise((resolve, reject) => {
      timer = setTimeout(() => {
        this.passed = true;
        this.#controller.abort();
        // By then one that does heed it has rejected, with an error that knows its request.
        setImmediate(reject);
      }, left);
    });
    const running = attempt();
    try {
      return await Promise.race([running, expired]);
    } catch (error) {
      if (this.passed) running.then(discard, nothing);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  release() {
    this.#link.release();
  }
}

/** From now on the signal ends `call`. One listener serves all calls of a signal. */
function linked(signal, call) {
  if (signal?.aborted) call.abort(signal.reason);
  else if (signal !== undefined) watch(signal, call);
  return { release: () => signal !== undefined && unwatch(signal, call) };
}

const NOBODY = Object.freeze({ signal: undefined, release: nothing });

function nothing() {}

module.exports = { callerOf, Deadline };

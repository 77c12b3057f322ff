'use strict';

/**
 * The limits on the time of one attempt, for calls that have any. The client's own signal is then one of ours, which the
 * caller's ends as well.
 *
 * A wrapper sees when the client is asked and when it answers, and nothing in between: so `headers` begins with the
 * attempt, connecting included.
 */

const { CallFailure } = require('../../errors');
const { watch, unwatch, reasonOf } = require('../../abort');
const { classify } = require('../../fault');

/** What is let go of when the answer that it was for is forgotten unread. */
const forgotten = new FinalizationRegistry(({ signal, link }) => unwatch(signal, link));

/**
 * @param {import('./options').ClientOptions['limits']} limits
 * @returns {boolean} whether attempts need a {@link TimeLimits}
 */
function areLimited({ attempt, total, headers, body }) {
  return attempt !== Infinity || total !== Infinity || headers !== Infinity || body !== Infinity;
}

class TimeLimits {
  #controller = new AbortController();
  #signal;
  #link;
  /** What the attempt is to fail with, once a limit was reached. */
  #failure;

  /** @param {AbortSignal | undefined} signal the caller's */
  constructor(signal) {
    if (signal === undefined) return;
    if (signal.aborted) {
      this.#controller.abort(reasonOf(signal));
      return;
    }
    this.#signal = signal;
    // Held by the caller's signal, which may live as long as the program: so it must not hold the attempt.
    this.#link = new Link(this.#controller);
    watch(signal, this.#link);
    forgotten.register(this, { signal, link: this.#link }, this);
  }

  /** For the client. */
  get signal() {
    return this.#controller.signal;
  }

  /** The fault of a limit that was reached. @type {import('../../..').Fault | undefined} */
  get fault() {
    return this.#failure?.fault;
  }

  /** In the shape of those of our own fetch: no client has an error for limits that are not its own. */
  get error() {
    return this.#failure?.error;
  }

  /**
   * Runs an attempt against its limits.
   *
   * @param {() => unknown} start
   * @param {{ attempt: number, headers: number }} limits
   * @param {number} left ms that the call has left
   * @param {(late: unknown) => void} discard what comes when nobody waits for it any more
   */
  async run(start, { attempt, headers }, left, discard) {
    const [limit, name] = [[attempt, 'attempt'], [headers, 'headers'], [left, 'total']].sort(([a], [b]) => a - b)[0];
    if (limit === Infinity) return start();
    let expire;
    const expired = new Promise((resolve, reject) => {
      expire = () => {
        reject(this.#fail(`No answer came within ${Math.round(limit)} ms (timeout.${name}).`, 'wait', 'unknown'));
        this.abort();
      };
    });
    const timer = setTimeout(expire, limit);
    const answer = Promise.resolve().then(start);
    try {
      // Not every function obeys its signal, a mock least of all.
      return await Promise.race([answer, expired]);
    } finally {
      clearTimeout(timer);
      if (this.#failure !== undefined) answer.then(discard, () => {});
    }
  }

  /**
   * The body of the answer is silent for too long.
   *
   * @param {number} limit ms
   * @returns {Error} what its reader is to get
   */
  expireBody(limit) {
    return this.#fail(`Nothing of the body came for ${limit} ms (timeout.body).`, 'receive', 'answered');
  }

  /** Ends what the client still does. */
  abort() {
    this.#controller.abort(this.error);
  }

  /** Nothing is to be limited any more: the attempt has failed, or the body of its answer has come to its end. */
  release() {
    if (this.#signal === undefined) return;
    unwatch(this.#signal, this.#link);
    forgotten.unregister(this);
    this.#signal = undefined;
  }

  #fail(reason, phase, delivery) {
    const timedOut = classify(new DOMException(reason, 'TimeoutError'), { phase, delivery });
    const fault = Object.freeze({ ...timedOut, reason, detail: undefined });
    const message = phase === 'wait' ? 'fetch failed' : 'terminated';
    this.#failure = { fault, error: new CallFailure(message, undefined, { fault }).toError() };
    return this.#failure.error;
  }
}

/** From the caller's signal to the attempt. */
class Link {
  #controller;

  constructor(controller) {
    this.#controller = new WeakRef(controller);
  }

  abort(reason) {
    this.#controller.deref()?.abort(reason);
  }
}

module.exports = { TimeLimits, areLimited };

'use strict';

/**
 * The retry policy for calls that JavaScript makes: the native one, asked in JavaScript's terms. The clock and
 * `Math.random` are read at each question, so fake timers govern it.
 */

const { NativePolicy } = require('../native');
const { parseRetryOptions } = require('./options');

/**
 * @typedef {object} Question
 * @property {object} fault as `classify` returns it
 * @property {string} [method] of an HTTP request
 * @property {boolean} [idempotencyKey] the request carries an `Idempotency-Key` header
 * @property {boolean} [declared] the caller's own word that the call may, or may not, be repeated
 * @property {boolean} [bodyReplays] the request body can be sent once more; true unless said otherwise
 * @property {boolean} [verdict] what a `shouldRetry` hook answered, if it did
 * @property {boolean} [stale] the connection had answered an earlier request
 *
 * @typedef {{ retry: true, delay: number, freshConnection: boolean, why: string } |
 *   { retry: false, gaveUp: string }} Decision `delay` in milliseconds
 */

/** Options, and what the calls made under them share: one budget for each origin. */
class Policy {
  #native;

  /**
   * @param {import('./options').RetryOptions} [options]
   * @param {NativePolicy} [native] one that shares its origins with another's: see {@link Policy#withOptions}
   */
  constructor(options = parseRetryOptions(), native = new NativePolicy(options.json, performance.now())) {
    this.options = options;
    this.#native = native;
  }

  /**
   * The same origins under other options: for a call that overrides some.
   * @param {import('./options').RetryOptions} options
   * @returns {Policy}
   */
  withOptions(options) {
    return options === this.options ? this : new Policy(options, this.#native.withOptions(options.json));
  }

  /**
   * A call begins: it counts into the origin's budget.
   * @param {string} origin `scheme://host:port`
   * @returns {Retries}
   */
  begin(origin) {
    const now = performance.now();
    const ticket = this.#native.count(origin, now);
    return new Retries(this.#native.begin(origin, now, ticket));
  }

  /**
   * A redirect moved a call to another origin.
   * @param {Retries} retries
   * @param {string} origin
   */
  move(retries, origin) {
    retries.native.moved(this.#native, origin, performance.now());
  }
}

/** The retry state of one call. Made by {@link Policy#begin}. */
class Retries {
  constructor(native) {
    this.native = native;
  }

  /** The number of the attempt that is running or has just failed, from 1. */
  get attempt() {
    return this.native.attempt;
  }

  /** Milliseconds since the call began. */
  get elapsed() {
    return this.native.elapsed(performance.now());
  }

  /** Whether `within` has passed: to be asked again after the wait, which hooks may have made longer. */
  get outOfTime() {
    return this.native.outOfTime(performance.now());
  }

  /**
   * An attempt has failed: what now?
   * @param {Question} question
   * @returns {Decision}
   */
  decide({ fault, ...request }) {
    const question = JSON.stringify({ ...request, fault: decisive(fault) });
    return JSON.parse(this.native.decide(question, performance.now(), Math.random()));
  }

  /** Bytes of the response have progressed: attempts and time count anew from the next fault. */
  progressed() {
    this.native.progressed();
  }
}

/** What of a fault bears on the decision. The rest may hold anything, a caller's own error with cycles included. */
function decisive({ code, kind, phase, delivery, transient, status, retryAfter }) {
  return { code, kind, phase, delivery, transient, status, retryAfter };
}

module.exports = { Policy, parseRetryOptions };

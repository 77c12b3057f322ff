'use strict';

/**
 * The retry policy for calls that JavaScript makes: the native one (`src/policy/`), asked in JavaScript's terms. The
 * clock and `Math.random` are read at each question, so fake timers govern it.
 */

const { NativePolicy } = require('../native');
const { Hub } = require('./events');
const { parseRetryOptions } = require('./options');

/**
 * @typedef {object} Question
 * @property {import('../..').Fault} fault as `classify` returns it
 * @property {string} [method] of an HTTP request
 * @property {boolean} [idempotencyKey] the request carries an `Idempotency-Key` header
 * @property {boolean} [declared] the caller's own word that the call may, or may not, be repeated
 * @property {boolean} [bodyReplays] the request body can be sent once more; true unless said otherwise
 * @property {boolean} [verdict] what a `shouldRetry` hook answered, if it did
 * @property {boolean} [stale] the connection had answered an earlier request
 *
 * @typedef {{ retry: true, delay: number, freshConnection: boolean, why: string } |
 *   { retry: false, gaveUp: import('../..').GaveUp }} Decision `delay` in milliseconds
 */

/** The statuses that are worth another attempt for some request; `Options::lists_status` in Rust says the same. */
const STATUSES = Object.freeze([408, 425, 429, 500, 502, 503, 504]);

/** The breaker lets the call through and does not want to know what comes of it: see `NativePolicy.count`. */
const NOTHING_TO_REPORT = -1;
/** Of policies that nobody can listen to; the channels are told all the same. */
const UNHEARD = new Hub();

/** Options, and what the calls made under them share: budget, breaker and counts of each origin, and who is told. */
class Policy {
  /** Made when it is needed. */
  #native;
  #counts = true;

  /**
   * @param {import('./options').RetryOptions} [retry]
   * @param {Hub} [hub]
   * @param {NativePolicy} [native] one that shares its origins with another's: see {@link Policy#under}
   */
  constructor(retry = parseRetryOptions(), hub = new Hub(), native = undefined) {
    this.retry = retry;
    this.hub = hub;
    this.#native = native;
    this.hasBreaker = Boolean(retry.options.breaker);
  }

  /**
   * A policy that no second call shares. There is nothing to count in it, no origin to take for down, and unless an attempt
   * fails nothing to make.
   *
   * @param {import('./options').RetryOptions} retry
   */
  static ofOneCall(retry) {
    const policy = new Policy(retry, UNHEARD);
    policy.#counts = false;
    policy.hasBreaker = false;
    return policy;
  }

  /** The native half, for native clients that are to share its origins. */
  get native() {
    return (this.#native ??= new NativePolicy(this.retry.json, performance.now()));
  }

  /**
   * The same origins and listeners under other options: for a client, or a call, that overrides some.
   *
   * @param {import('./options').RetryOptions} retry
   * @returns {Policy}
   */
  under(retry) {
    return retry === this.retry ? this : new Policy(retry, this.hub, this.native.withOptions(retry.json));
  }

  /**
   * Whether a response with this status is a matter for {@link PolicyCall#failed}: it may be worth another attempt, a hook
   * may think so, or a breaker counts it. Nearly every response is simply the answer, and this says so at no cost.
   *
   * @param {number} status
   */
  judges(status) {
    const { options, shouldRetry } = this.retry;
    if (status < 400) return options.statuses !== undefined && this.lists(status);
    return this.lists(status) || (status >= 500 && this.hasBreaker) || (shouldRetry !== undefined && options.retries !== 0);
  }

  /** Whether another attempt is worth it after this status, for a request that may be repeated. */
  lists(status) {
    const { retries, statuses } = this.retry.options;
    return retries !== 0 && (statuses ?? STATUSES).includes(status);
  }

  /**
   * A call begins: it counts into the origin's budget, and the breaker is asked about its first attempt.
   *
   * @param {string} origin `scheme://host:port`
   * @param {number} [now] `performance.now()`, where it has been read already
   * @returns {number} below 0: go on, and remember the number for {@link Policy#begin} and {@link Policy#succeeded}; otherwise
   *   the breaker refuses, and may allow it in that many milliseconds
   */
  count(origin, now = performance.now()) {
    if (!this.#counts) return NOTHING_TO_REPORT;
    if (!this.hasBreaker) {
      this.hub.tally.add(this, origin, now);
      return NOTHING_TO_REPORT;
    }
    const answer = this.native.count(origin, now);
    // A breaker that is closed stays so until an attempt has ended.
    if (this.hub.hasOpenBreakers) this.tellBreaker();
    return answer;
  }

  /** The first attempt of a counted call was answered, with a status where that is HTTP. Only a breaker wants to know. */
  succeeded(origin, ticket, status) {
    this.native.succeeded(origin, performance.now(), ticket, status);
    // What is answered opens none, unless the server says that it fails.
    if (status >= 500 || this.hub.hasOpenBreakers) this.tellBreaker();
  }

  /**
   * The retry state of a call that was counted, made when its first attempt has failed.
   *
   * @param {string} origin
   * @param {number} began `performance.now()` when it was counted
   * @param {number} ticket what {@link Policy#count} gave
   */
  begin(origin, began, ticket) {
    return new Retries(this, this.native.begin(origin, began, ticket));
  }

  /** Tells of breakers that have opened or closed since it was last asked. */
  tellBreaker() {
    this.hub.tellOfBreakers(this.native);
  }

  /** @returns {Record<string, import('../..').OriginStats>} */
  stats() {
    this.hub.tally.handOver(this);
    return JSON.parse(this.native.stats(performance.now()));
  }
}

/** The retry state of one call. */
class Retries {
  #policy;
  #native;

  constructor(policy, native) {
    this.#policy = policy;
    this.#native = native;
  }

  /** The number of the attempt that is running or has just failed, from 1. */
  get attempt() {
    return this.#native.attempt;
  }

  /** Whether `within`, or the call's total, has passed: to be asked again after the wait, which hooks may have made longer. */
  get outOfTime() {
    return this.#native.outOfTime(performance.now());
  }

  /** The call ends this long after it began, in ms. */
  limitTo(total) {
    this.#native.limitTo(total);
  }

  /**
   * An attempt has failed: what now?
   *
   * @param {Question} question
   * @returns {Decision}
   */
  decide({ fault, ...request }) {
    this.#policy.hub.tally.handOver(this.#policy);
    const question = JSON.stringify({ ...request, fault: decisive(fault) });
    const decision = JSON.parse(this.#native.decide(question, performance.now(), Math.random()));
    this.#tellBreaker();
    return decision;
  }

  /** Bytes have progressed since an attempt last failed: attempts and `within` count anew, and the next one is free. */
  progressed() {
    this.#native.progressed();
  }

  /** Whether the breaker lets the next attempt through. */
  admit() {
    const admitted = this.#native.admit(performance.now()) < 0;
    this.#tellBreaker();
    return admitted;
  }

  /** The latest attempt was answered, with a status where that is HTTP. */
  succeeded(status) {
    this.#native.succeeded(performance.now(), status);
    this.#tellBreaker();
  }

  /** The call has ended for a reason that was not decided here: time was up after a wait, or the body of its answer broke. */
  gaveUp() {
    this.#native.gaveUp();
  }

  /** The caller ended the call: it says nothing about the origin. */
  abandon() {
    this.#native.abandon();
  }

  #tellBreaker() {
    if (this.#policy.hasBreaker) this.#policy.tellBreaker();
  }
}

/** What of a fault bears on the decision. The rest may hold anything, a caller's own error with cycles included. */
function decisive({ code, kind, phase, delivery, transient, status, retryAfter }) {
  return { code, kind, phase, delivery, transient, status, retryAfter };
}

module.exports = { Policy };

'use strict';

/**
 * One call that a client of the user's own makes, attempt by attempt, under a policy.
 *
 * The wrapper makes the attempts; this says whether there is another one and when, keeps the recovery, and tells whoever
 * listens. It is made for every call and most calls need nothing of it: what a failure needs is made by the failure.
 */

const { unwatch, watch } = require('../abort');
const { cleanRecovery, recoveryOf } = require('./recovery');
const { isObserved, tell } = require('./events');

/**
 * @typedef {object} CallRequest
 * @property {string} surface who makes the call: `wrapFetch`, `wrapAxios`, `wrapHttp`, `retry`
 * @property {string} origin as `URL` gives it: what budget, breaker and stats go by
 * @property {string} [method] of an HTTP request
 * @property {string} [url] of an HTTP request
 * @property {boolean} [idempotencyKey] the request carries an `Idempotency-Key` header
 * @property {boolean} [declared] the caller's own word that the call may, or may not, be repeated
 *
 * @typedef {object} CallLimits
 * @property {AbortSignal} [signal] ends the waits between attempts
 * @property {number} [total] the whole call ends this long after it began, in ms
 */

class PolicyCall {
  #policy;
  #request;
  #signal;
  #total;
  #began = 0;
  #ticket = -1;
  /** Made by the first failure. */
  #retries;
  /** The attempts that are over. @type {import('../..').Attempt[]} */
  #attempts = [];
  /** The wait before the attempt that is running. */
  #delay = 0;
  #gaveUp;

  /**
   * @param {import('./policy').Policy} policy
   * @param {CallRequest} request
   * @param {CallLimits} [limits]
   */
  constructor(policy, request, { signal, total } = NO_LIMITS) {
    this.#policy = policy;
    this.#request = request;
    this.#signal = signal;
    this.#total = total;
    /** Whether the next attempt is to avoid pooled connections: they are suspect. */
    this.freshConnection = false;
  }

  /** The number of the attempt that is running or has just failed, from 1. */
  get attempt() {
    return this.#retries?.attempt ?? 1;
  }

  /** Milliseconds until the end of the call. */
  get left() {
    return this.#total === undefined ? Infinity : Math.max(0, this.#began + this.#total - performance.now());
  }

  /** What it took so far. @type {import('../..').Recovery} */
  get recovery() {
    const isClean = this.#attempts.length === 0 && this.#gaveUp === undefined;
    return isClean ? cleanRecovery() : recoveryOf([...this.#attempts], this.#gaveUp);
  }

  /**
   * The call begins: it is counted.
   *
   * @returns {import('../..').Fault | undefined} why it must not be made: the breaker refuses
   */
  begin() {
    this.#began = performance.now();
    const answer = this.#policy.count(this.#request.origin);
    if (answer < 0) {
      this.#ticket = answer;
      return undefined;
    }
    const fault = refusal(this.#request.origin, answer);
    this.#gaveUp = 'breaker-open';
    this.#tellGaveUp(fault);
    return fault;
  }

  /**
   * The attempt failed: asks `shouldRetry`, decides, tells, and waits.
   *
   * @param {import('../..').Fault} fault
   * @param {{ bodyReplays?: boolean, stale?: boolean }} [attempt] `stale`: its connection had answered an earlier request
   * @returns {Promise<boolean>} true: make another attempt now. false: it is over, and {@link PolicyCall#recovery} says why; a
   *   response that the fault was about is the answer. Rejects with what a hook threw
   */
  async failed(fault, { bodyReplays = true, stale = false } = NOTHING_SPECIAL) {
    this.#tellAttempt(fault);
    this.#retries ??= this.#beginRetries();
    if (this.#signal?.aborted) return this.#abandon(fault);
    try {
      return await this.#goOn(fault, { bodyReplays, stale });
    } catch (error) {
      // A hook threw: the call ends with that.
      this.#retries.abandon();
      this.#over(fault);
      throw error;
    }
  }

  /**
   * The latest attempt brought the answer.
   *
   * @param {number} [status] of an HTTP response
   */
  answered(status) {
    if (this.#policy.hasBreaker || this.#retries !== undefined) this.#report(status);
    this.#tellAttempt(null);
    if (this.#retries === undefined) return;
    const hadFailed = this.#attempts.length > 0;
    this.#over(null);
    if (hadFailed) this.#tell('recovered', () => ({ recovery: this.recovery }));
  }

  /** The body of the answer broke, after it had been handed over: nothing more can be done here. */
  broke(fault) {
    const last = this.#attempts.at(-1);
    if (last !== undefined && last.fault === null) this.#attempts.pop();
    this.#tellAttempt(fault);
    this.#over(fault);
    this.#gaveUp = fault.kind === 'aborted' ? 'aborted' : 'not-resumable';
    if (this.#gaveUp !== 'aborted') this.#tellGaveUp(fault);
  }

  async #goOn(fault, { bodyReplays, stale }) {
    const retries = this.#retries;
    const verdict = await this.#verdict(fault);
    const { method, idempotencyKey, declared } = this.#request;
    const decision = retries.decide({ fault, method, idempotencyKey, declared, bodyReplays, verdict, stale });
    if (!decision.retry) return this.#giveUp(fault, decision.gaveUp);
    await this.#tellRetry(fault, decision);
    if (this.#signal?.aborted || !(await wait(decision.delay, this.#signal))) return this.#abandon(fault);
    if (retries.outOfTime) {
      retries.ranOutOfTime();
      return this.#giveUp(fault, 'out-of-time');
    }
    if (!retries.admit()) return this.#giveUp(fault, 'breaker-open');
    this.#over(fault);
    this.#delay = decision.delay;
    this.freshConnection = decision.freshConnection;
    return true;
  }

  #beginRetries() {
    const retries = this.#policy.begin(this.#request.origin, this.#began, this.#ticket);
    if (this.#total !== undefined) retries.limitTo(this.#total);
    return retries;
  }

  /** The outcome of an attempt that was answered. */
  #report(status) {
    if (this.#retries === undefined) this.#policy.succeeded(this.#request.origin, this.#ticket, status);
    else this.#retries.succeeded(status);
  }

  /** What the `shouldRetry` hook says. */
  async #verdict(fault) {
    const { shouldRetry } = this.#policy.retry;
    if (shouldRetry === undefined) return undefined;
    const { attempt } = this;
    const { method, url } = this.#told();
    const elapsed = performance.now() - this.#began;
    return checkVerdict(await shouldRetry(fault, { attempt, method, url, elapsed }));
  }

  async #tellRetry(fault, { delay, why }) {
    // The decision has begun the next attempt already.
    const attempt = this.attempt - 1;
    const { onRetry } = this.#policy.retry;
    if (onRetry !== undefined) {
      const { method, url } = this.#told();
      await onRetry({ attempt, delay, fault, method, url });
    }
    this.#tell('retry', () => ({ attempt, delay, fault, why }));
  }

  /** Always false: there is no further attempt. */
  #giveUp(fault, reason) {
    // A status that nobody asked to repeat is an ordinary answer.
    if (reason !== 'aborted' && isByStatus(fault) && !this.#policy.lists(fault.status)) {
      this.#over(null);
      if (this.#attempts.length > 1) this.#tell('recovered', () => ({ recovery: this.recovery }));
      return false;
    }
    this.#over(fault);
    this.#gaveUp = reason;
    if (reason !== 'aborted') this.#tellGaveUp(fault);
    return false;
  }

  #abandon(fault) {
    this.#retries.abandon();
    return this.#giveUp(fault, 'aborted');
  }

  /** An attempt is over. What is told of a call that goes on for ever must not grow for ever. */
  #over(fault) {
    if (this.#attempts.length >= TOLD_AT_MOST) this.#attempts.shift();
    this.#attempts.push({ fault, delay: this.#delay });
  }

  #tellAttempt(fault) {
    this.#tell('attempt', () => ({ attempt: this.attempt, fault }));
  }

  #tellGaveUp(fault) {
    this.#tell('gave-up', () => ({ fault, gaveUp: this.#gaveUp, recovery: this.recovery }));
  }

  #tell(name, message) {
    const { hub } = this.#policy;
    if (isObserved(hub, name)) tell(hub, name, { ...this.#told(), ...message() });
  }

  /** What is told of the request: no credentials. */
  #told() {
    const { surface, origin, method, url } = this.#request;
    return { surface, origin, method, url: url?.replace(CREDENTIALS, '$1') };
  }
}

/** Attempts; as in native calls. */
const TOLD_AT_MOST = 100;
const NO_LIMITS = Object.freeze({});
const NOTHING_SPECIAL = Object.freeze({});
const CREDENTIALS = /^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i;

/**
 * Why the breaker lets no call through; native calls fail with the same (`src/policy/`).
 *
 * @returns {import('../..').Fault}
 */
function refusal(origin, retryAfter) {
  return Object.freeze({
    code: 'ERR_BREAKER_OPEN',
    kind: 'refused',
    phase: 'connect',
    delivery: 'not-sent',
    transient: true,
    reconnect: false,
    reason: `The breaker of ${origin || 'this policy'} is open: too many of the last calls failed.`,
    retryAfter,
  });
}

function isByStatus(fault) {
  return fault.status !== undefined && fault.code.startsWith('HTTP_');
}

function checkVerdict(verdict) {
  if (verdict === undefined || verdict === null) return undefined;
  if (typeof verdict === 'boolean') return verdict;
  throw new TypeError(`retry.shouldRetry must return true, false or undefined, not ${typeof verdict}`);
}

/**
 * @param {number} delay ms
 * @param {AbortSignal} [signal]
 * @returns {Promise<boolean>} false: the signal ended it
 */
function wait(delay, signal) {
  if (delay === 0) return Promise.resolve(true);
  return new Promise((resolve) => {
    const waiting = { abort: () => end(false) };
    const timer = setTimeout(end, delay, true);
    function end(done) {
      clearTimeout(timer);
      if (signal !== undefined) unwatch(signal, waiting);
      resolve(done);
    }
    if (signal !== undefined) watch(signal, waiting);
  });
}

module.exports = { PolicyCall };

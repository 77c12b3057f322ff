'use strict';

/**
 * One call that a client of the user's own makes, attempt by attempt, under a policy.
 *
 * The wrapper makes the attempts; this says whether there is another one and when, keeps the recovery, and tells whoever
 * listens. It is made for every call and most calls need nothing of it: what a failure needs is made by the failure.
 */

const { unwatch, watch } = require('../abort');
const { withoutCredentials } = require('../credentials');
const { faultOfCode } = require('../fault/of-code');
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
 * @property {number} [total] the whole call ends this long after it began, in ms; as a rule it has no end
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
  #attempt = 1;
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
  constructor(policy, request, { signal, total = Infinity } = NO_LIMITS) {
    this.#policy = policy;
    this.#request = request;
    this.#signal = signal;
    this.#total = total;
    /** Whether the next attempt is to avoid pooled connections: they are suspect. */
    this.freshConnection = false;
  }

  /** The number of the attempt that is running or has just failed, from 1. */
  get attempt() {
    return this.#attempt;
  }

  /** Milliseconds until the end of the call. */
  get left() {
    return this.#total === Infinity ? Infinity : Math.max(0, this.#began + this.#total - performance.now());
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
    const answer = this.#policy.count(this.#request.origin, this.#began);
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
    this.#retries ??= this.#beginRetries();
    if (this.#isAborted) return this.#abandon(fault);
    try {
      return await this.#goOn(fault, { bodyReplays, stale });
    } catch (error) {
      // A hook threw: the call ends with that.
      this.#retries.abandon();
      this.#tellAttempt(fault);
      this.#over(fault);
      throw error;
    }
  }

  /** What the attempt that is about to fail had brought is progress: see `Retries.progressed`. */
  progressed() {
    this.#retries ??= this.#beginRetries();
    this.#retries.progressed();
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
    // One that was taken for want of a better answer has been told.
    if (this.#gaveUp !== undefined) return;
    const last = this.#attempts.at(-1);
    if (last !== undefined && last.fault === null) this.#attempts.pop();
    if (fault.kind === 'aborted') {
      this.#end(fault, 'aborted');
      return;
    }
    this.#retries ??= this.#beginRetries();
    this.#retries.gaveUp();
    this.#tellAttempt(fault);
    this.#end(fault, 'not-resumable');
  }

  async #goOn(fault, { bodyReplays, stale }) {
    const retries = this.#retries;
    const verdict = await this.#hooked(() => this.#ask(fault));
    if (this.#isAborted) return this.#abandon(fault);
    if (verdict === OUT_OF_TIME) return this.#ranOutOfTime(fault, true);
    checkVerdict(verdict);
    const { method, idempotencyKey, declared } = this.#request;
    const question = { fault, method, idempotencyKey, declared, bodyReplays, verdict: verdict ?? undefined, stale };
    const decision = retries.decide(question);
    if (!decision.retry) return this.#giveUp(fault, decision.gaveUp);
    const told = await this.#hooked(() => this.#callOnRetry(fault, decision));
    if (this.#isAborted) return this.#abandon(fault);
    if (told === OUT_OF_TIME) return this.#ranOutOfTime(fault, true);
    this.#tellRetry(fault, decision);
    if (this.#isAborted || !(await wait(decision.delay, this.#signal))) return this.#abandon(fault);
    if (retries.outOfTime) return this.#ranOutOfTime(fault, false);
    if (!retries.admit()) return this.#end(fault, 'breaker-open');
    this.#over(fault);
    this.#attempt += 1;
    this.#delay = decision.delay;
    this.freshConnection = decision.freshConnection;
    return true;
  }

  get #isAborted() {
    return this.#signal !== undefined && this.#signal.aborted;
  }

  #beginRetries() {
    const retries = this.#policy.begin(this.#request.origin, this.#began, this.#ticket);
    if (this.#total !== Infinity) retries.limitTo(this.#total);
    return retries;
  }

  /** The outcome of an attempt that was answered. */
  #report(status) {
    if (this.#retries === undefined) this.#policy.succeeded(this.#request.origin, this.#ticket, status);
    else this.#retries.succeeded(status);
  }

  /**
   * What a hook says. It may be slow, or never come to its end: neither an abort nor the end of the call waits for it.
   *
   * @returns {unknown} also `OUT_OF_TIME`; after an abort it is of no interest
   */
  async #hooked(hook) {
    const answer = hook();
    if (typeof answer?.then !== 'function') return answer;
    const { left } = this;
    if (this.#signal === undefined && left === Infinity) return answer;
    return untilEnded(answer, this.#signal, left);
  }

  #ask(fault) {
    const { shouldRetry } = this.#policy.retry;
    if (shouldRetry === undefined) return undefined;
    const { method, url } = this.#told();
    return shouldRetry(fault, { attempt: this.#attempt, method, url, elapsed: performance.now() - this.#began });
  }

  #callOnRetry(fault, { delay }) {
    const { onRetry } = this.#policy.retry;
    if (onRetry === undefined) return undefined;
    const { method, url } = this.#told();
    return onRetry({ attempt: this.#attempt, delay, fault, method, url });
  }

  #tellRetry(fault, { delay, why }) {
    this.#tellAttempt(fault);
    this.#tell('retry', () => ({ attempt: this.#attempt, delay, fault, why }));
  }

  /** Always false, as all that follows: there is no further attempt. */
  #giveUp(fault, reason) {
    if (reason === 'aborted') return this.#end(fault, reason);
    // A status that nobody asked to repeat is an ordinary answer.
    if (isByStatus(fault) && !this.#policy.lists(fault.status)) {
      this.#tellAttempt(null);
      this.#over(null);
      if (this.#attempts.length > 1) this.#tell('recovered', () => ({ recovery: this.recovery }));
      return false;
    }
    this.#tellAttempt(fault);
    return this.#end(fault, reason);
  }

  #ranOutOfTime(fault, isToBeTold) {
    this.#retries.gaveUp();
    if (isToBeTold) this.#tellAttempt(fault);
    return this.#end(fault, 'out-of-time');
  }

  #abandon(fault) {
    this.#retries.abandon();
    return this.#end(fault, 'aborted');
  }

  #end(fault, reason) {
    this.#over(fault);
    this.#gaveUp = reason;
    if (reason !== 'aborted') this.#tellGaveUp(fault);
    return false;
  }

  /** An attempt is over. What is told of a call that goes on for ever must not grow for ever. */
  #over(fault) {
    if (this.#attempts.length >= TOLD_AT_MOST) this.#attempts.shift();
    this.#attempts.push({ fault, delay: this.#delay });
  }

  #tellAttempt(fault) {
    // Asked first: nearly every call comes here, and nearly nobody listens.
    if (isObserved(this.#policy.hub, 'attempt')) this.#tell('attempt', () => ({ attempt: this.#attempt, fault }));
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
    return { surface, origin, method, url: withoutCredentials(url) };
  }
}

/** What a hook came to that took longer than the call may. */
const OUT_OF_TIME = Symbol('out of time');
/** Attempts; as in native calls. */
const TOLD_AT_MOST = 100;
const NO_LIMITS = Object.freeze({});
const NOTHING_SPECIAL = Object.freeze({});

/**
 * Why the breaker lets no call through; native calls say the same (`src/http/attempts.rs`).
 *
 * @param {number} retryAfter ms
 */
function refusal(origin, retryAfter) {
  const whose = origin === '' ? 'this policy' : origin;
  const reason = `The breaker of ${whose} is open: too many of the last calls to it failed, and no further one is made for now.`;
  return faultOfCode('ERR_BREAKER_OPEN', { reason, retryAfter });
}

function isByStatus(fault) {
  return fault.status !== undefined && fault.code.startsWith('HTTP_');
}

function checkVerdict(verdict) {
  if (verdict === undefined || verdict === null || typeof verdict === 'boolean') return;
  throw new TypeError(`retry.shouldRetry must return true, false or undefined, not ${typeof verdict}`);
}

/**
 * @param {PromiseLike<unknown>} answer of a hook
 * @param {AbortSignal | undefined} signal
 * @param {number} left ms that the call has left
 */
function untilEnded(answer, signal, left) {
  return new Promise((resolve, reject) => {
    const waiting = { abort: () => end(resolve) };
    const timer = left === Infinity ? undefined : setTimeout(() => end(resolve, OUT_OF_TIME), left);
    function end(settle, value) {
      clearTimeout(timer);
      if (signal !== undefined) unwatch(signal, waiting);
      settle(value);
    }
    if (signal !== undefined) watch(signal, waiting);
    Promise.resolve(answer).then((value) => end(resolve, value), (error) => end(reject, error));
    // The hook itself may have caused it.
    if (signal?.aborted) end(resolve);
  });
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

'use strict';

/**
 * One `run`: attempts on a connection, under the retry policy.
 *
 * A function is called again only where that can do no harm: when the caller has declared it idempotent, or when the fault
 * proves that nothing was sent. Where the driver lets us see that something was, no fault can prove that nothing was.
 */

const { reasonOf, unwatch, watch } = require('../abort');
const { FaultError } = require('../errors');
const { PolicyCall } = require('../policy/call');
const { withRecovery } = require('../policy/recovery');
const { Ending } = require('./ending');
const { closedError, connectFault, lostError, outOfTimeError } = require('./faults');
const { Patience } = require('./patience');

/** A driver tells its calls of the end of their connection at once. Of those it forgets nobody would ever hear. Ms. */
const TOLD_WITHIN = 5_000;
/** So long a connection was idle whose end may have crossed what was sent over it, ms. */
const STALE_AFTER = 1_000;

class Run {
  #connections;
  #source;
  #fn;
  #signal;
  #timeout;
  #call;
  /** Ends whatever is waited for: by the caller's signal, its timeout, or the end of everything. */
  #ending = new Ending();
  /** The same without the timeout, after which the policy says that time was up. */
  #stopping = new Ending();
  #patience;
  #isClosing = false;
  /** The function is running. */
  #isRunning = false;

  /**
   * @param {object} around
   * @param {(context: object) => unknown} fn
   * @param {{ idempotent: boolean, signal?: AbortSignal, timeout?: number }} options
   */
  constructor({ connections, source, options: { policy, name, timeout } }, fn, { idempotent, signal, timeout: total }) {
    this.#connections = connections;
    this.#source = source;
    this.#fn = fn;
    this.#signal = signal;
    this.#timeout = total;
    this.#patience = new Patience(timeout.wait);
    const request = { surface: source.surface, origin: name, declared: idempotent };
    this.#call = new PolicyCall(policy, request, { signal: this.#stopping, total });
  }

  async result() {
    if (this.#signal?.aborted) throw reasonOf(this.#signal);
    const refused = this.#call.begin();
    if (refused !== undefined) throw withRecovery(new FaultError(refused), this.#call.recovery);
    const timer = this.#watch();
    try {
      return await this.#untilDone();
    } finally {
      clearTimeout(timer);
      if (this.#signal !== undefined) unwatch(this.#signal, this);
    }
  }

  /** The caller's signal ends it. */
  abort(reason) {
    this.#ending.abort(reason);
    this.#stopping.abort(reason);
  }

  /** The handle is being closed: what is running may come to its end, what waits ends now. */
  closing() {
    this.#isClosing = true;
    if (!this.#isRunning) this.abort(closedError());
  }

  /** There is no more time for it. */
  cut() {
    this.abort(closedError('unknown'));
  }

  #watch() {
    if (this.#signal !== undefined) watch(this.#signal, this);
    if (this.#timeout === undefined) return undefined;
    return setTimeout(() => this.#ending.abort(outOfTimeError(this.#timeout, this.#isRunning)), this.#timeout);
  }

  async #untilDone() {
    let lastFault;
    for (;;) {
      let failure;
      try {
        return await this.#answer(lastFault);
      } catch (thrown) {
        failure = thrown;
      }
      lastFault = failure.fault;
      if (this.#isClosing) this.abort(closedError());
      if (await this.#call.failed(lastFault, { stale: failure.isStale })) continue;
      // The reason may end a thousand calls: nothing is put on it.
      if (this.#signal?.aborted) throw reasonOf(this.#signal);
      throw withRecovery(failure.error, this.#call.recovery);
    }
  }

  async #answer(lastFault) {
    const value = await this.#attempt(lastFault);
    this.#call.answered();
    return value;
  }

  /** Throws a {@link Failure}, and nothing else. */
  async #attempt(lastFault) {
    const lease = await this.#take();
    if (this.#ending.aborted) throw await this.#unused(lease);
    this.#isRunning = true;
    let value;
    try {
      value = await this.#ended(lease, lastFault);
    } catch (error) {
      const failure = this.#failureOf(error, lease);
      await this.#putBack(lease, failure);
      throw failure;
    } finally {
      this.#isRunning = false;
    }
    try {
      await lease.succeeded();
    } catch (error) {
      throw this.#failureOf(error, lease);
    }
    return value;
  }

  /** Ended between the moment when the connection was there and now: the function does not begin. */
  async #unused(lease) {
    const { reason } = this.#ending;
    const failure = new Failure(reason, connectFault(this.#source.faultOf, reason, this.#signal), false);
    await this.#putBack(lease, failure);
    return failure;
  }

  async #putBack(lease, { error, fault }) {
    try {
      await (this.#ending.aborted ? lease.abandoned(fault) : lease.failed(error, fault));
    } catch {
      // As for a client that the function has released itself. What it failed with says more.
    }
  }

  async #take() {
    try {
      return await this.#connections.take(this.#patience, this.#ending);
    } catch (error) {
      throw new Failure(error, connectFault(this.#source.faultOf, error, this.#signal), false);
    }
  }

  /** What the function comes to, unless it is ended, or would never hear of the end of its connection. */
  #ended(lease, lastFault) {
    return new Promise((resolve, reject) => {
      const ending = this.#ending;
      const context = new Context(this.#call.attempt, lastFault);
      const abandon = (reason) => {
        over(reject, reason);
        context.end(reason);
      };
      let timer;
      const onAbort = () => abandon(ending.reason);
      const unwatchLoss = lease.onceLost(({ fault }) => {
        timer = setTimeout(() => abandon(lostError(fault)), TOLD_WITHIN);
      });
      const over = (settle, value) => {
        clearTimeout(timer);
        ending.removeEventListener('abort', onAbort);
        unwatchLoss();
        settle(value);
      };
      ending.addEventListener('abort', onAbort);
      // In an async function, so that what it throws at once is a rejection too.
      const running = (async () => this.#fn(lease.connection, context))();
      running.then((value) => over(resolve, value), (error) => over(reject, error));
      // By the function itself.
      if (ending.aborted) onAbort();
    });
  }

  #failureOf(error, lease) {
    const judged = lease.judged(error, this.#source.faultOf(error, { signal: this.#signal }));
    return new Failure(error, judged, lease.idle >= STALE_AFTER && judged.reconnect);
  }
}

/** How an attempt failed. */
class Failure {
  constructor(error, fault, isStale) {
    this.error = error;
    this.fault = fault;
    /** Its connection had been idle: another attempt need not wait. */
    this.isStale = isStale;
  }
}

/** What the function is given besides the connection. */
class Context {
  #ending = new Ending();
  #controller;

  constructor(attempt, lastFault) {
    this.attempt = attempt;
    this.lastFault = lastFault;
  }

  /** Made when somebody looks. */
  get signal() {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#ending.aborted) this.#controller.abort(this.#ending.reason);
    }
    return this.#controller.signal;
  }

  /** Nobody waits for the function any longer. */
  end(reason) {
    this.#ending.abort(reason);
    this.#controller?.abort(reason);
  }
}

module.exports = { Run };

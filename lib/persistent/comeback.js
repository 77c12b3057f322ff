'use strict';

/**
 * One way back to a connection: attempts, and the backoff between them, under the `reconnect` options. It goes on counting
 * until a connection has proved itself, so that a server which accepts and hangs up is not met at full speed for ever.
 */

const { Policy } = require('../policy/policy');

class Comeback {
  #policy;
  #retries;
  #began = performance.now();

  /** @param {import('../policy/options').RetryOptions} reconnect */
  constructor(reconnect) {
    // Nothing is drawn from the budget of calls: what brings a connection back serves all of them.
    this.#policy = Policy.ofOneCall(reconnect);
    this.#retries = this.#policy.begin('', this.#began, -1);
    /** Attempts that have begun. */
    this.attempts = 0;
  }

  /**
   * @param {import('../..').Fault} fault what the connection, or the attempt to make one, ended with
   * @param {boolean} isLoss of a connection that there was: that in itself is no reason to give up, whatever the fault
   * @returns {Promise<{ delay: number } | { gaveUp: import('../..').GaveUp }>} rejects with what `shouldRetry` threw
   */
  async failed(fault, isLoss) {
    const verdict = isLoss || (await this.#ask(fault));
    const { retry, delay, gaveUp } = this.#retries.decide({ fault, declared: true, verdict: verdict ?? undefined });
    return retry ? { delay } : { gaveUp };
  }

  #ask(fault) {
    const { shouldRetry } = this.#policy.retry;
    return shouldRetry?.(fault, { attempt: this.attempts, elapsed: performance.now() - this.#began });
  }
}

module.exports = { Comeback };

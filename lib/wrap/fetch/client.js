'use strict';

/** What one `wrapFetch` makes: the client, the options, and where each call is put together. */

const { PolicyCall } = require('../../policy/call');
const { withRecovery } = require('../../policy/recovery');
const { bodyOf } = require('./body');
const { refused } = require('./failures');
const { parseCallOptions } = require('./options');
const { readRequest } = require('./request');
const { areLimited } = require('./time-limits');
const { WrappedCall } = require('./call');

class WrappedClient {
  #inner;
  #options;
  #isLimited;

  /**
   * @param {Function} inner
   * @param {import('./options').ClientOptions} options
   */
  constructor(inner, options) {
    this.#inner = inner;
    this.#options = options;
    this.#isLimited = areLimited(options.limits);
  }

  /**
   * Not an async function: that would be one more promise to wait for in every call.
   *
   * @param {unknown} input
   * @param {unknown} init
   * @param {AbortSignal} [ends] ends the call beside the caller's own signal, and is no matter of the client's
   * @returns {Promise<unknown>} what the client answered
   */
  fetch(input, init, ends) {
    try {
      return this.#begin(input, init, ends);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #begin(input, init, ends) {
    const options = parseCallOptions(init, this.#options);
    const { policy, limits } = options;
    const request = readRequest(input, init, this.#options);
    if (ends !== undefined) request.signal = ends;
    const call = new PolicyCall(policy, request, { signal: request.signal, total: limits.total });
    const body = bodyOf(request, policy.retry.options.retries !== 0);
    const refusal = call.begin();
    if (refusal !== undefined) {
      const error = withRecovery(refused(this.#inner, refusal), call.recovery);
      body?.cancel(error);
      throw error;
    }
    const isLimited = options === this.#options ? this.#isLimited : areLimited(limits);
    const { describe } = this.#options;
    return new WrappedCall(this.#inner, describe, policy, isLimited ? limits : undefined, request, body, call).run();
  }
}

module.exports = { WrappedClient };

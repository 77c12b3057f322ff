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

  /** @returns {Promise<unknown>} what the client answered */
  async fetch(input, init) {
    const options = parseCallOptions(init, this.#options);
    const { policy, limits } = options;
    const request = readRequest(input, init, this.#options);
    const { origin, method, url, idempotencyKey, signal } = request;
    const total = limits.total === Infinity ? undefined : limits.total;
    const about = { surface: 'wrapFetch', origin, method, url, idempotencyKey };
    const call = new PolicyCall(policy, about, { signal, total });
    const refusal = call.begin();
    if (refusal !== undefined) throw withRecovery(refused(this.#inner, refusal), call.recovery);
    const body = bodyOf(request, policy.retry.options.retries !== 0);
    const isLimited = options === this.#options ? this.#isLimited : areLimited(limits);
    return new WrappedCall({ inner: this.#inner, call, request, body, policy, limits: isLimited ? limits : undefined }).run();
  }
}

module.exports = { WrappedClient };

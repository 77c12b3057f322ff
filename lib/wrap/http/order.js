'use strict';

/** What a caller has asked for: everything that all attempts of one request have in common. */

const { callOnRequest } = require('../../policy/on-request');
const { retryOptionsOf } = require('../../policy/retry-policy');
const { checkOptions } = require('../../validate');
const { HeaderOptions, copyHeaders, hasHeader } = require('./header-options');
const { targetOf } = require('./target');

const KEYS = Object.freeze(['retry']);
const KEY_HEADER = 'idempotency-key';

class Order {
  /** As they were: the caller's own, which the first attempt is given, may change. */
  #headers;

  /**
   * @param {import('./client').Client} client
   * @param {object} options of the request, which are this one's to change
   * @throws {TypeError | RangeError} that names the option of ours that is wrong, and what the `onRequest` hook
   *   throws
   */
  constructor(client, options) {
    this.module = client.module;
    this.policy = client.policy;
    this.options = options;
    if (options.unreset !== undefined) {
      const { retry } = checkOptions(options.unreset, 'options.unreset', KEYS);
      this.policy = client.policy.under(retryOptionsOf(retry, 'options.unreset.retry', client.policy.retry));
      options.unreset = undefined;
    }
    const { origin, url } = targetOf(options, client.protocol);
    this.origin = origin;
    this.url = url;
    this.method = options.method ? String(options.method).toUpperCase() : 'GET';
    if (client.ownGlobalAgent !== undefined) options.agent = agentFor(options, client.ownGlobalAgent);
    if (client.onRequest !== undefined) this.#announce(client.onRequest);
    this.#headers = copyHeaders(options.headers);
  }

  /** For another attempt: the same, whatever has become of the caller's headers. */
  optionsAgain() {
    return { ...this.options, headers: copyHeaders(this.#headers) };
  }

  /** @param {import('node:http').ClientRequest} request of an attempt: the caller may have set the header on it */
  hasIdempotencyKey(request) {
    return request.hasHeader(KEY_HEADER) || hasHeader(this.#headers, KEY_HEADER);
  }

  #announce(onRequest) {
    const { options, method, url } = this;
    const change = (headers) => callOnRequest(onRequest, headers, { method, url });
    options.headers = HeaderOptions.changedBy(change, options.headers);
  }
}

/** As `ClientRequest` chooses it, with the program's own agent in the place of Node's global one. */
function agentFor({ agent, createConnection }, globalAgent) {
  if (agent === false) return new globalAgent.constructor();
  const isOpen = agent === undefined || agent === null;
  return isOpen && typeof createConnection !== 'function' ? globalAgent : agent;
}

module.exports = { Order };

'use strict';

/**
 * `createFetch({ fetch })`: a fetch of ours whose calls are made by a function, so that a program can be tested without a
 * network. Retries, waits, hooks, limits and the shape of responses and errors stay ours; what is on the wire is not there.
 */

const { asyncDispose } = require('../../async-dispose');
const { CallFailure, FaultError } = require('../../errors');
const { watch, unwatch, reasonOf } = require('../../abort');
const { refusal } = require('../../fetch/ending');
const { headerPairs } = require('../../fetch/headers');
const { withRecovery } = require('../../policy/recovery');
const { checkFunction, checkOptions, invalidArgument } = require('../../validate');
const { brand } = require('./brand');
const { WrappedClient } = require('./client');
const { parseWrapOptions } = require('./options');

const OURS = ['fetch', 'retry', 'timeout', 'headers', 'onRequest'];
/** What only the native engine does. In silence a test would prove nothing about it. */
const NATIVE = [
  'tls', 'lookup', 'connections', 'proxy', 'http2', 'socketPath', 'keepAlive', 'resume', 'decompress', 'maxResponseSize',
];
/** The same among the options of a call: a program under test gives them as it always does. */
const NATIVE_OF_CALL = ['resume', 'decompress', 'maxResponseSize'];

/**
 * @param {import('../../..').CreateFetchOptions} options with `fetch`
 * @returns {import('../../..').FetchClient}
 */
function createFetchOn(options) {
  const { fetch: inner, headers, ...rest } = checkOptions(options, 'options', [...OURS, ...NATIVE]);
  for (const name of NATIVE) {
    if (rest[name] !== undefined) throw invalidArgument(`${name} must be left out with fetch: only the native engine has it.`);
  }
  checkFunction(inner, 'fetch');
  const calls = new Calls(new WrappedClient((input, init) => inner(...called(input, init)), {
    ...parseWrapOptions(rest),
    headers: headers === undefined ? undefined : headerPairs(headers),
    surface: 'fetch',
    describe: asOurs,
  }));
  const close = () => calls.close();
  const fetch = (input, init) => calls.fetch(input, init);
  return brand(Object.assign(fetch, { close, destroy: (reason) => calls.destroy(reason), [asyncDispose]: close }));
}

/** The arguments of a call without what is not the standard's. */
function called(input, init) {
  if (init === undefined) return [input];
  if (typeof init !== 'object' || init === null) return [input, init];
  const standard = { ...init };
  for (const name of NATIVE_OF_CALL) delete standard[name];
  return [input, standard];
}

/** An error of the network as our fetch throws it. What is a mistake, or nobody's shape of one, stays what it is. */
function asOurs(error, fault, recovery) {
  // A limit on time is told by an error of ours as it is.
  if (AS_THEY_ARE.has(fault.kind) || error?.cause instanceof FaultError) return withRecovery(error, recovery);
  return new CallFailure('fetch failed', recovery, { fault, source: error }).toError();
}

const AS_THEY_ARE = new Set(['aborted', 'client', 'unknown']);

/** The calls in flight, and their end. */
class Calls {
  #client;
  /** @type {Set<AbortController>} */
  #inFlight = new Set();
  /** Makes what calls are refused with. */
  #refusal;
  /** Resolves `close()`. */
  #onIdle = () => {};
  #closed;

  /** @param {WrappedClient} client */
  constructor(client) {
    this.#client = client;
  }

  async fetch(input, init) {
    if (this.#refusal !== undefined) throw this.#refusal();
    const call = new AbortController();
    const signal = init?.signal ?? input?.signal ?? undefined;
    if (signal?.aborted) call.abort(reasonOf(signal));
    else if (signal !== undefined) watch(signal, call);
    this.#inFlight.add(call);
    const ended = new Promise((resolve, reject) => {
      call.signal.addEventListener('abort', () => reject(call.signal.reason), { once: true });
    });
    try {
      // The function need not know that its client can be destroyed.
      return await Promise.race([this.#client.fetch(input, init, call.signal), ended]);
    } finally {
      if (signal !== undefined) unwatch(signal, call);
      this.#inFlight.delete(call);
      if (this.#inFlight.size === 0) this.#onIdle();
    }
  }

  /** No call begins any more. @returns {Promise<void>} when those in flight are answered */
  close() {
    this.#refusal ??= () => refusal('UND_ERR_CLOSED').toError();
    this.#closed ??= new Promise((resolve) => {
      this.#onIdle = resolve;
      if (this.#inFlight.size === 0) resolve();
    });
    return this.#closed;
  }

  destroy(reason) {
    const closed = this.close();
    this.#refusal = () => refusal('UND_ERR_DESTROYED').toError();
    for (const call of this.#inFlight) call.abort(reason ?? this.#refusal());
    return closed;
  }
}

module.exports = { createFetchOn };

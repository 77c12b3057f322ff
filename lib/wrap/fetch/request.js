'use strict';

/**
 * What a call asks for, read as fetch reads it: `init` comes before the `Request`, and either may be of another realm or
 * another package. What is read is a copy: a program that goes on using its `init` and `headers` for the next call must not
 * change the repetition of this one, least of all its `Idempotency-Key`.
 */

const { isRequest, isUrl } = require('../../fetch/brands');
const { callOnRequest } = require('../../policy/on-request');
const { originOf } = require('../origin');
const { isOurTimeout } = require('./options');

/** Written in any case, these are meant (Fetch standard, "normalize a method"). */
const NORMALIZED = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT']);

/** Members that an `init` may have as getters of a class, which no enumeration shows: fetch reads them by name. */
const MEMBERS = [
  'method', 'headers', 'body', 'signal', 'redirect', 'mode', 'credentials', 'cache', 'referrer', 'referrerPolicy',
  'integrity', 'keepalive', 'duplex', 'priority', 'window', 'dispatcher', 'agent', 'follow', 'compress', 'size', 'counter',
  'highWaterMark', 'insecureHTTPParser', 'timeout',
];

const IDEMPOTENCY_KEY = 'idempotency-key';

/**
 * Also a {@link import('../../policy/call').CallRequest}, for the policy.
 *
 * @typedef {object} ReadRequest
 * @property {string} surface
 * @property {unknown} input as it was given
 * @property {unknown} init a copy without what is ours; as it was given where it is no object
 * @property {string} method
 * @property {string} url
 * @property {string} origin empty where the URL has none
 * @property {boolean} idempotencyKey
 * @property {AbortSignal | undefined} signal
 * @property {boolean} follows whether the client follows redirects
 */

/**
 * @param {unknown} input
 * @param {unknown} init
 * @param {{ surface: string, onRequest?: Function, headers?: [string, string][] }} client `headers`: where the call has none of the name
 * @returns {ReadRequest}
 */
function readRequest(input, init, client) {
  const request = isRequest(input) ? input : undefined;
  const own = isDictionary(init) ? withoutOurs(init) : init;
  const method = normalized(own?.method ?? request?.method ?? 'GET');
  const url = urlOf(input, request);
  const { headers, idempotencyKey } = readHeaders(own?.headers ?? undefined, request, client, { method, url });
  const signal = own?.signal === undefined ? request?.signal : own.signal;
  return {
    surface: client.surface,
    input,
    init: headers === undefined ? own : Object.assign(isDictionary(own) ? own : {}, { headers }),
    method,
    url,
    origin: originOf(url),
    idempotencyKey,
    signal: isSignal(signal) ? signal : undefined,
    follows: (own?.redirect ?? request?.redirect ?? 'follow') === 'follow',
  };
}

function isDictionary(init) {
  return (typeof init === 'object' && init !== null) || typeof init === 'function';
}

/** Anything else is for the client to refuse. */
function isSignal(signal) {
  return typeof signal?.aborted === 'boolean' && typeof signal.addEventListener === 'function';
}

/** Also of what is inherited, as of a `Request` that is given as `init`. */
function withoutOurs(init) {
  const copy = { ...init };
  const prototype = Object.getPrototypeOf(init);
  if (prototype !== Object.prototype && prototype !== null) copyInherited(init, copy);
  if (copy.retry !== undefined) delete copy.retry;
  if (isOurTimeout(copy.timeout)) delete copy.timeout;
  return copy;
}

function copyInherited(init, copy) {
  for (const name in init) copy[name] = init[name];
  for (const name of MEMBERS) {
    if (init[name] !== undefined) copy[name] = init[name];
  }
}

function normalized(method) {
  if (method === 'GET') return method;
  const upper = String(method).toUpperCase();
  return NORMALIZED.has(upper) ? upper : String(method);
}

function urlOf(input, request) {
  if (request !== undefined) return request.url;
  return isUrl(input) ? input.href : String(input);
}

function readHeaders(given, request, client, context) {
  const inherited = request?.headers;
  if (client.onRequest === undefined && client.headers === undefined) {
    const headers = given === undefined ? undefined : copyOf(given);
    return { headers, idempotencyKey: hasKey(headers ?? inherited) };
  }
  const headers = new Headers(given ?? inherited);
  for (const [name, value] of client.headers ?? []) {
    if (!headers.has(name)) headers.append(name, value);
  }
  if (client.onRequest !== undefined) callOnRequest(client.onRequest, headers, context);
  return { headers, idempotencyKey: hasKey(headers) };
}

/** Of the same kind, since a client, or a mock, may want its own. */
function copyOf(headers) {
  if (typeof headers !== 'object' || headers === null) return headers;
  if (isHeaders(headers)) return new headers.constructor(headers);
  if (typeof headers[Symbol.iterator] === 'function') {
    return Array.from(headers, (pair) => (typeof pair === 'object' && pair !== null ? Array.from(pair) : pair));
  }
  return { ...headers };
}

function isHeaders(headers) {
  return headers[Symbol.toStringTag] === 'Headers' && typeof headers.get === 'function';
}

/** An empty key, or one that was forgotten, identifies nothing. */
function hasKey(headers) {
  if (typeof headers !== 'object' || headers === null) return false;
  if (typeof headers.get === 'function') return Boolean(headers.get(IDEMPOTENCY_KEY));
  const pairs = Array.isArray(headers) ? headers : undefined;
  if (pairs !== undefined) return pairs.some((pair) => isKey(pair?.[0]) && Boolean(pair[1]));
  for (const name in headers) {
    if (isKey(name) && Boolean(headers[name])) return true;
  }
  return false;
}

function isKey(name) {
  return typeof name === 'string' && name.length === IDEMPOTENCY_KEY.length && name.toLowerCase() === IDEMPOTENCY_KEY;
}

module.exports = { readRequest };

'use strict';

/**
 * From `fetch(input, init)` to what a call is started with. All that is wrong with the input is said here, before
 * anything is sent.
 */

const { extractBody } = require('./body');
const { checkBrowserOptions, checkMode } = require('./browser-options');
const { extractRequestBody } = require('./request-body');
const { isRequest, isUrl } = require('./brands');
const { ofStatedLength } = require('./stated-length');
const { HeaderLines, appendHeaders, inHeaders } = require('./headers');
const { callOnRequest } = require('../policy/on-request');
const { TOKEN, TOKEN_CHARACTERS } = require('../token');
const { checkSignal, invalidArgument, invalidValue } = require('../validate');
const { REDIRECT_ERROR, REDIRECT_MANUAL, REDIRECT_WITHIN_ORIGIN, STREAM, REOPENS } = require('../engine/call-flags');

/** Written in any case, these are meant (Fetch standard, "normalize a method"). */
const NORMALIZED = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT']);
const FORBIDDEN = new Set(['CONNECT', 'TRACE', 'TRACK']);
/** Without a body they say so: some servers answer 411 to those that do not (RFC 9110, section 8.6). */
const EXPECT_A_BODY = new Set(['PATCH', 'POST', 'PROPFIND', 'PUT', 'QUERY']);
/** Whoever sets one of them has a cache of their own: others on the way are asked to stand back. */
const CONDITIONS = ['if-modified-since', 'if-none-match', 'if-unmodified-since', 'if-match', 'if-range'];
const REDIRECTS = { follow: 0, error: REDIRECT_ERROR, manual: REDIRECT_MANUAL };

/**
 * @typedef {object} Plan
 * @property {string} method
 * @property {string} url
 * @property {HeaderLines} lines
 * @property {number} flags
 * @property {AbortSignal | undefined} signal
 * @property {string} integrity
 */

/**
 * All of a request but its body, which is left untouched.
 *
 * @param {RequestInfo | URL} input
 * @param {import('../..').FetchInit} init
 * @param {{ headers: [string, string][], onRequest?: Function }} defaults
 * @returns {Plan}
 */
function plan(input, init, defaults) {
  const request = isRequest(input) ? input : undefined;
  checkBrowserOptions(init);
  let lines = new HeaderLines();
  appendHeaders(chosen(init.headers, request?.headers), lines);
  appendMissing(defaults.headers, lines);
  const method = normalizeMethod(chosen(init.method, request?.method, 'GET'));
  const mode = chosen(init.mode, request?.mode);
  const cache = chosen(init.cache, request?.cache);
  checkMode({ mode, cache, method });
  appendMissing(cacheHeaders(cache, mode, lines), lines);
  const url = urlOf(input, request);
  if (defaults.onRequest !== undefined) lines = changedBy(defaults.onRequest, lines, { method, url });
  return {
    method,
    url,
    lines,
    flags: redirectFlag(chosen(init.redirect, request?.redirect, 'follow'), mode),
    signal: signalOf(init.signal === undefined ? request?.signal : init.signal),
    integrity: String(init.integrity ?? request?.integrity ?? ''),
  };
}

/**
 * The body of a request, taken: its source is locked from here on.
 *
 * @param {RequestInfo | URL} input
 * @param {import('../..').FetchInit} init
 * @param {Plan} planned
 * @returns {import('./body').ExtractedBody | Promise<import('./body').ExtractedBody> | undefined}
 */
function takeBody(input, init, planned) {
  const body = bodyOf(init, isRequest(input) ? input : undefined, planned.method);
  if (body === undefined) checkLength(planned.lines.contentLength, 0);
  return body;
}

/**
 * The body's part of a plan: flags and headers that depend on it.
 *
 * @param {Plan} planned
 * @param {import('./body').ExtractedBody} body
 */
function addBody(planned, body) {
  const { lines } = planned;
  if (body.type !== undefined && !lines.has('content-type')) lines.append('content-type', body.type);
  if (body.open !== undefined) planned.flags |= body.reopens ? REOPENS : STREAM;
  checkLength(lines.contentLength, knownLength(body));
  if (body.open !== undefined && body.length === undefined && lines.contentLength !== undefined) {
    body.length = Number(lines.contentLength);
    body.open = ofStatedLength(body.open, body.length);
  }
}

/**
 * What crosses the boundary: see `src/node/request.rs`.
 *
 * @param {Plan} planned
 * @param {import('./body').ExtractedBody | undefined} body
 */
function headOf({ method, lines, url }, body) {
  const isEmpty = body === undefined || knownLength(body) === 0;
  const length = isEmpty && EXPECT_A_BODY.has(method) ? 'content-length\n0\n' : '';
  return `${method}\n${lines.text}${length}\n${url}`;
}

/** The headers as the hook leaves them. */
function changedBy(onRequest, lines, context) {
  const headers = new Headers(lines.pairs());
  if (lines.contentLength !== undefined) headers.set('content-length', lines.contentLength);
  callOnRequest(onRequest, headers, context);
  const changed = new HeaderLines();
  appendHeaders(headers, changed);
  return changed;
}

/** Several of one name are all kept, unless the request has that name already. */
function appendMissing(headers, lines) {
  const given = new Set(lines.names);
  for (const [name, value] of headers) {
    if (!given.has(name)) lines.append(name, value);
  }
}

/** `null` is a value and counts; only `undefined` is not given (WebIDL). */
function chosen(own, inherited, fallback) {
  if (own !== undefined) return own;
  return inherited === undefined ? fallback : inherited;
}

/** What the cache and request modes make of a request, as in the built-in fetch (Fetch standard, section 4.6). */
function cacheHeaders(cache, mode, lines) {
  const headers = [];
  const isDefault = cache === undefined || cache === 'default';
  const bypasses = isDefault ? CONDITIONS.some((name) => lines.has(name)) : cache === 'no-store' || cache === 'reload';
  if (bypasses) headers.push(['pragma', 'no-cache'], ['cache-control', 'no-cache']);
  if (cache === 'no-cache') headers.push(['cache-control', 'max-age=0']);
  if (mode === 'no-cors' || mode === 'same-origin') headers.push(['sec-fetch-mode', mode]);
  return headers;
}

function normalizeMethod(given) {
  const method = String(given);
  if (!TOKEN.test(method)) throw invalidValue('method', `an HTTP method (${TOKEN_CHARACTERS})`, method);
  const upper = method.toUpperCase();
  if (FORBIDDEN.has(upper)) throw invalidValue('method', `other than ${[...FORBIDDEN].join(', ')}`, method);
  return NORMALIZED.has(upper) ? upper : method;
}

function urlOf(input, request) {
  if (request !== undefined) return request.url;
  return isUrl(input) ? input.href : String(input);
}

function redirectFlag(redirect, mode) {
  const flag = Object.hasOwn(REDIRECTS, redirect) ? REDIRECTS[redirect] : undefined;
  if (flag === undefined) throw invalidValue('redirect', '"follow", "error" or "manual"', redirect);
  if (flag === REDIRECTS.follow && mode === 'same-origin') return REDIRECT_WITHIN_ORIGIN;
  return flag;
}

function signalOf(signal) {
  if (signal === undefined || signal === null) return undefined;
  return checkSignal(signal, 'signal');
}

function bodyOf(init, request, method) {
  const replaced = init.body !== undefined && init.body !== null;
  const inherited = request?.body ?? null;
  if (!replaced && inherited === null) return undefined;
  if (method === 'GET' || method === 'HEAD') {
    throw invalidArgument(`body: a ${method} request cannot have one (Request with GET/HEAD method cannot have body)`);
  }
  if (!replaced) {
    if (request.bodyUsed || inherited.locked) {
      throw invalidArgument('body: that of the Request has been used; give a new one, or clone the Request before');
    }
    return extractRequestBody(inherited);
  }
  const body = extractBody(init.body);
  if (body.needsDuplex && init.duplex !== 'half') {
    throw invalidArgument('duplex: "half" is required when the body is a stream (RequestInit: duplex option is required when sending a body)');
  }
  return body;
}

function knownLength(body) {
  if (body.text !== undefined) return Buffer.byteLength(body.text);
  return body.bytes === undefined ? body.length : body.bytes.byteLength;
}

/** A Content-Length that is not the body's would cut it, or leave the server waiting. */
function checkLength(stated, known) {
  if (stated === undefined) return;
  const name = inHeaders('content-length');
  if (!/^\d{1,15}$/.test(stated)) throw invalidValue(name, 'a number of bytes, or left out', stated);
  if (known !== undefined && Number(stated) !== known) {
    throw invalidValue(name, `what the body has, ${known} bytes, or left out`, stated);
  }
}

module.exports = { plan, takeBody, addBody, headOf };

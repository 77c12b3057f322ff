'use strict';

/** What went wrong with an attempt, as far as axios's error and the request in it can prove. */

const { classify } = require('../../fault');
const { asOfFirstHop } = require('../fetch/first-hop');

/** A server that answers so has not acted on the request. One before it, that redirected there, may have. */
const TOO_EARLY = 425;

/**
 * @param {unknown} error what the adapter rejected with
 * @param {AbortSignal} [signal] the caller's
 * @returns {Promise<import('../../..').Fault>}
 */
async function faultOf(error, signal) {
  const found = classify(error, { signal });
  const fault = found.kind === 'unknown' && isNetworkError(error) ? networkFault(found) : found;
  // The error speaks of the last hop: a server that redirected the request has had all of it.
  const request = error?.request;
  if (isFetchRequest(request)) return asOfFirstHop(fault, error, { url: request.url, follows: request.redirect === 'follow' });
  if (fault.delivery !== 'not-sent' || !mayHaveBeenRedirected(request)) return fault;
  return Object.freeze({ ...fault, delivery: 'unknown' });
}

/**
 * @param {object} response
 * @param {boolean} isIdempotent whether the request may be repeated whatever happened
 * @returns {import('../../..').Fault | undefined} its status as a fault; `undefined` where that cannot speak for the call
 */
function faultOfStatus({ status, headers, request }, isIdempotent) {
  if (status === TOO_EARLY && !isIdempotent && mayHaveBeenRedirected(request)) return undefined;
  // A mock's response may have no headers.
  return classify({ status, headers: headers ?? {} });
}

/** The caller's own stream failed, with whatever error. */
function sourceFault() {
  return classify({ code: 'ERR_BODY_SOURCE_FAILED' });
}

/** A connection that had answered before was lost before this answer began. */
function wasStale(error, fault) {
  return fault.kind === 'reset' && fault.delivery === 'unknown' && lastHop(error?.request)?.reusedSocket === true;
}

/**
 * One dead connection of an agent makes the idle ones to the same host suspect: they are closed, so that the agent opens
 * another. The agent stays the caller's own, with its options.
 *
 * @param {unknown} error of an attempt by the http adapter; others do not tell their connections
 */
function closeIdleConnections(error) {
  const { host, agent } = lastHop(error?.request) ?? {};
  for (const [name, sockets] of Object.entries(agent?.freeSockets ?? {})) {
    if (!name.startsWith(`${host}:`)) continue;
    for (const socket of sockets) socket.destroy();
  }
}

/** An XMLHttpRequest does not say why it failed, and axios-mock-adapter's `networkError()` has the words and no code. */
function isNetworkError(error) {
  const { isAxiosError, response, message, cause } = error ?? {};
  return isAxiosError === true && response === undefined && message === 'Network Error'
    && (cause === undefined || cause.message === message);
}

/** Whatever it was, it was on the network: worth another attempt, where the request may be repeated. */
function networkFault(fault) {
  return Object.freeze({ ...fault, code: 'ERR_NETWORK', transient: true });
}

/** follow-redirects counts its hops; fetch hides them. */
function mayHaveBeenRedirected(request) {
  if (isFetchRequest(request)) return request.redirect === 'follow';
  return (request?._redirectable ?? request)?._redirectCount > 0;
}

/** A `Request`, from the fetch adapter. */
function isFetchRequest(request) {
  return typeof request?.redirect === 'string';
}

/** The `ClientRequest` itself, or the latest one that follow-redirects has made. */
function lastHop(request) {
  return request?._currentRequest ?? request;
}

module.exports = { faultOf, faultOfStatus, sourceFault, wasStale, closeIdleConnections };

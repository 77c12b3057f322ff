'use strict';

/** What went wrong with an attempt, as far as axios's error and the request in it can prove. */

const { classify } = require('../../fault');

const DEFAULT_PORTS = Object.freeze({ 'http:': 80, 'https:': 443 });

/**
 * @param {unknown} error what the adapter rejected with
 * @param {AbortSignal} [signal] the caller's
 * @returns {import('../../..').Fault}
 */
function faultOf(error, signal) {
  const found = classify(error, { signal });
  const fault = found.kind === 'unknown' && isNetworkError(error) ? networkFault(found) : found;
  // The error speaks of the last hop: a server that redirected the request has had all of it, and may have acted.
  const isAboutAll = fault.delivery !== 'not-sent' || !mayHaveBeenRedirected(error?.request, fault);
  return isAboutAll ? fault : Object.freeze({ ...fault, delivery: 'unknown' });
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

/** follow-redirects counts its hops. fetch hides them: only a fault that names the first host is surely of the first hop. */
function mayHaveBeenRedirected(request, fault) {
  if (typeof request?.redirect === 'string') return request.redirect === 'follow' && !isOf(request.url, fault);
  return request?._redirectCount > 0;
}

/** A name that does not resolve is told as an address, too; the addresses that a name has are not known here. */
function isOf(url, { address, port }) {
  const asked = new URL(url);
  const askedPort = Number(asked.port) || DEFAULT_PORTS[asked.protocol];
  return address === asked.hostname.replace(/^\[|\]$/g, '') && (port === undefined || port === askedPort);
}

/** The `ClientRequest` itself, or the latest one that follow-redirects has made. */
function lastHop(request) {
  return request?._currentRequest ?? request;
}

module.exports = { faultOf, wasStale, closeIdleConnections };

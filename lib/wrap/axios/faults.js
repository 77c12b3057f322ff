'use strict';

/** What went wrong with an attempt, as far as axios's error and the request in it can prove. */

const { classify } = require('../../fault');

/**
 * @param {unknown} error what the adapter rejected with
 * @param {AbortSignal} [signal] the caller's
 * @returns {import('../../..').Fault}
 */
function faultOf(error, signal) {
  const fault = classify(error, { signal });
  // What is known is known of the last hop: the server that redirected the request has had all of it.
  if (fault.delivery === 'not-sent' && wasRedirected(error?.request)) return Object.freeze({ ...fault, delivery: 'unknown' });
  return fault;
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

/** follow-redirects counts its hops. */
function wasRedirected(request) {
  return request?._redirectCount > 0;
}

/** The `ClientRequest` itself, or the latest one that follow-redirects has made. */
function lastHop(request) {
  return request?._currentRequest ?? request;
}

module.exports = { faultOf, wasStale, closeIdleConnections };

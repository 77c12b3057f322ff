'use strict';

/**
 * Redirects that axios's adapters follow by themselves.
 *
 * A POST that was answered with a redirect has been received, and perhaps done. When the server to which it leads refuses,
 * not one byte was sent there, and to repeat the call would do its first part twice.
 */

const { lookup } = require('node:dns/promises');

const DEFAULT_PORTS = Object.freeze({ 'http:': 80, 'https:': 443 });

/**
 * follow-redirects counts its hops; fetch hides them.
 *
 * @param {object} [request] of an error or a response: a `ClientRequest`, follow-redirects' own, or a `Request`
 */
function mayHaveBeenRedirected(request) {
  if (isFetchRequest(request)) return request.redirect === 'follow';
  return (request?._redirectable ?? request)?._redirectCount > 0;
}

/** Whether the fault is surely that of the first hop: it names an address of the host that was asked. */
async function isAboutFirstHop(request, { address, port }) {
  if (!isFetchRequest(request)) return false;
  const { hostname, protocol, port: given } = new URL(request.url);
  if (port !== undefined && port !== Number(given || DEFAULT_PORTS[protocol])) return false;
  const host = hostname.replace(/^\[|\]$/g, '');
  // A name that does not resolve is told as an address, too.
  return address === host || (await addressesOf(host)).includes(address);
}

function isFetchRequest(request) {
  return typeof request?.redirect === 'string';
}

/** The system knows them: it was asked a moment ago, to connect. */
async function addressesOf(host) {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch {
    return [];
  }
}

module.exports = { mayHaveBeenRedirected, isAboutFirstHop };

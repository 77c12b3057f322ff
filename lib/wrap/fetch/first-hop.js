'use strict';

/**
 * What "not sent" is worth when the client follows redirects by itself.
 *
 * A POST that was answered with a redirect has been received, and perhaps done. When the server that the redirect leads to
 * then refuses, the client reports a refused connection: not one byte was sent there. To make the call again would do the
 * first part twice. So a fault that says "not sent" is believed if it is about the host that was asked, which is seen from
 * the address that it names; otherwise nobody knows.
 */

const { lookup } = require('node:dns/promises');

/**
 * @param {import('../../..').Fault} fault
 * @param {unknown} error of the client
 * @param {import('./request').ReadRequest} request
 * @returns {Promise<import('../../..').Fault>}
 */
async function asOfFirstHop(fault, error, request) {
  if (fault.delivery !== 'not-sent' || !fault.transient || !request.follows) return fault;
  if (await isAbout(request.url, fault, error)) return fault;
  return Object.freeze({ ...fault, delivery: 'unknown' });
}

async function isAbout(asked, { address, port }, error) {
  if (!URL.canParse(asked)) return false;
  const { href, hostname, protocol, port: given } = new URL(asked);
  if (address === undefined) return namesUrl(error, href);
  if (port !== undefined && port !== Number(given || DEFAULT_PORTS[protocol])) return false;
  const host = hostname.replace(/^\[|\]$/g, '');
  return address === host || (await addressesOf(host)).includes(address);
}

const DEFAULT_PORTS = { 'http:': 80, 'https:': 443 };

/** node-fetch hides address and port. What it does say is which URL it was asking, in its message and nowhere else. */
function namesUrl(error, href) {
  return error?.name === 'FetchError' && String(error.message).startsWith(`request to ${href} failed`);
}

/** Known to the system: it was asked a moment ago, to connect. */
async function addressesOf(host) {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch {
    return [];
  }
}

module.exports = { asOfFirstHop };

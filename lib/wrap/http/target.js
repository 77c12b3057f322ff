'use strict';

/** Where a request goes, from its options: what the policy goes by, and what hooks and events are told. */

const DEFAULT_PORTS = { 'http:': 80, 'https:': 443 };

/**
 * Origins that were written before, by host: a program has few of them, and the native policy reads a string that was
 * just put together several times slower than one it has seen.
 *
 * @type {Map<string, { protocol: string, port: unknown, origin: string }>}
 */
const written = new Map();
/** Hosts. With more, the map begins anew. */
const REMEMBERED = 1_000;

/**
 * @param {object} options of the request
 * @param {string} [ownProtocol] that of the module
 * @returns {{ origin: string, url: string }} the origin as `URL` writes it, or `unix:` and the path of a socket
 */
function targetOf(options, ownProtocol = 'http:') {
  const protocol = options.protocol || ownProtocol;
  const host = options.hostname || options.host || 'localhost';
  const port = options.port || options.defaultPort || DEFAULT_PORTS[protocol];
  const origin = originOf(protocol, host, port);
  return {
    // Two daemons that are reached through their sockets are both called localhost.
    origin: options.socketPath ? `unix:${options.socketPath}` : origin,
    url: urlOf(origin, options.path),
  };
}

function originOf(protocol, host, port) {
  const known = written.get(host);
  if (known !== undefined && known.port === port && known.protocol === protocol) return known.origin;
  const authority = authorityOf(host);
  const origin = Number(port) === DEFAULT_PORTS[protocol] ? `${protocol}//${authority}` : `${protocol}//${authority}:${port}`;
  if (written.size >= REMEMBERED) written.clear();
  written.set(host, { protocol, port, origin });
  return origin;
}

function authorityOf(host) {
  const name = String(host).toLowerCase();
  return name.includes(':') && name[0] !== '[' ? `[${name}]` : name;
}

/** For a forward proxy the path is a whole URL. */
function urlOf(origin, path = '/') {
  return path[0] === '/' ? origin + path : String(path);
}

module.exports = { targetOf };

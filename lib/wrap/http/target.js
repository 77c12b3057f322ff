'use strict';

/** Where a request goes, from its options: what the policy goes by, and what hooks and events are told. */

const DEFAULT_PORTS = { 'http:': 80, 'https:': 443 };

/**
 * @param {object} options of the request
 * @param {string} [ownProtocol] that of the module
 * @returns {{ origin: string, url: string }} the origin as `URL` writes it, or `unix:` and the path of a socket
 */
function targetOf(options, ownProtocol = 'http:') {
  const protocol = options.protocol || ownProtocol;
  const host = hostOf(options);
  const port = Number(options.port || options.defaultPort || DEFAULT_PORTS[protocol]);
  const origin = port === DEFAULT_PORTS[protocol] ? `${protocol}//${host}` : `${protocol}//${host}:${port}`;
  return {
    // Two daemons that are reached through their sockets are both called localhost.
    origin: options.socketPath ? `unix:${options.socketPath}` : origin,
    url: urlOf(origin, options.path),
  };
}

function hostOf({ hostname, host }) {
  const name = String(hostname || host || 'localhost').toLowerCase();
  return name.includes(':') && name[0] !== '[' ? `[${name}]` : name;
}

/** For a forward proxy the path is a whole URL. */
function urlOf(origin, path = '/') {
  return path[0] === '/' ? origin + path : String(path);
}

module.exports = { targetOf };

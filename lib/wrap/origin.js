'use strict';

/**
 * Origins by the text before the path, since to parse a URL takes as long as all else that a call costs here. Bounded: a
 * crawler sees more of them than anybody needs.
 *
 * @type {Map<string, string>}
 */
const origins = new Map();
const ORIGINS_AT_MOST = 1000;
/** No credentials: they are not kept. */
const AUTHORITY = /^https?:\/\/[^/?#\\@\s]+(?=[/?#]|$)/i;

/**
 * @param {string} url
 * @returns {string} as `URL` gives it: `scheme://host[:port]`; empty where the URL has none or is not valid, of which the
 *   client will complain
 */
function originOf(url) {
  const authority = AUTHORITY.exec(url)?.[0];
  if (authority === undefined) return parsedOrigin(url);
  let origin = origins.get(authority);
  if (origin === undefined) {
    origin = parsedOrigin(authority);
    if (origins.size >= ORIGINS_AT_MOST) origins.clear();
    origins.set(authority, origin);
  }
  return origin;
}

function parsedOrigin(url) {
  // A relative one is what a mock may be called with.
  return URL.canParse(url) ? new URL(url).origin : '';
}

module.exports = { originOf };

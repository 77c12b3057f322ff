'use strict';

/**
 * Origins by the text before the path, since to parse a URL takes as long as all else that a call costs here. Bounded: a
 * crawler sees more of them than anybody needs.
 *
 * @type {Map<string, string>}
 */
const origins = new Map();
const ORIGINS_AT_MOST = 1000;

/**
 * @param {string} url
 * @returns {string} as `URL` gives it: `scheme://host[:port]`; empty where the URL has none or is not valid, of which the
 *   client will complain
 */
function originOf(url) {
  const end = endOfAuthority(url);
  if (end === undefined) return parsedOrigin(url);
  const authority = url.slice(0, end);
  let origin = origins.get(authority);
  if (origin === undefined) {
    origin = parsedOrigin(authority);
    if (origins.size >= ORIGINS_AT_MOST) origins.clear();
    origins.set(authority, origin);
  }
  return origin;
}

/** By hand: a regular expression takes several times as long. `undefined` for what is to be parsed each time. */
function endOfAuthority(url) {
  const scheme = url.indexOf('://');
  if (scheme !== 'http'.length && scheme !== 'https'.length) return undefined;
  const begin = scheme + '://'.length;
  for (let at = begin; at < url.length; at += 1) {
    const code = url.charCodeAt(at);
    // `http:///host` is `http://host`.
    if (code === SLASH || code === QUESTION_MARK || code === HASH) return at > begin ? at : undefined;
    // Credentials are not kept; what follows is what only a parser knows the meaning of.
    if (code === AT || code === BACKSLASH || code <= SPACE) return undefined;
  }
  return url.length;
}

const SPACE = 0x20;
const HASH = 0x23;
const SLASH = 0x2f;
const QUESTION_MARK = 0x3f;
const AT = 0x40;
const BACKSLASH = 0x5c;

function parsedOrigin(url) {
  // A relative one is what a mock may be called with.
  return URL.canParse(url) ? new URL(url).origin : '';
}

module.exports = { originOf };

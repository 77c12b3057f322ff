'use strict';

/** The forms in which a request is asked for, read into one. */

const { urlToHttpOptions } = require('node:url');

/**
 * @param {unknown} first a URL, as a string or an object, or options
 * @param {unknown} second options, or the callback
 * @param {unknown} third the callback
 * @returns {{ options: object, callback: unknown }} options of the call's own: every attempt is made from them,
 *   whatever becomes of the caller's
 * @throws what Node throws for a URL that is none
 */
function parseArguments(first, second, third) {
  const url = urlOf(first);
  const [given, callback] = url === undefined ? [first, second] : [second, third];
  if (typeof given === 'function') return { options: { ...fromUrl(url) }, callback: given };
  return { options: url === undefined ? { ...given } : { ...fromUrl(url), ...given }, callback };
}

function urlOf(value) {
  if (typeof value === 'string') return new URL(value);
  return isUrl(value) ? value : undefined;
}

/**
 * Not `instanceof`: it may come from another realm. What `url.parse` returns has `auth` and `path`, and is options.
 */
function isUrl(value) {
  return Boolean(value?.href && value.protocol) && value.auth === undefined && value.path === undefined;
}

function fromUrl(url) {
  return url === undefined ? undefined : urlToHttpOptions(url);
}

module.exports = { parseArguments };

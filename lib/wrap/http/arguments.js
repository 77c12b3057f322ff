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
  if (url === undefined) return { options: { ...given }, callback };
  const options = optionsOf(url);
  return typeof given === 'function' ? { options, callback: given } : { options: Object.assign(options, given), callback };
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

/**
 * As `urlToHttpOptions` of Node gives them, whose object is one that V8 is slow to copy: with the copies, of which Node makes
 * one more, it would take 3 us. It has to be asked for a URL that somebody has put properties on.
 */
function optionsOf(url) {
  if (Object.keys(url).length > 0) return urlToHttpOptions(url);
  const { protocol, hostname, port, username, password, hash, search, pathname, href } = url;
  const isBracketed = hostname[0] === '[';
  const options = {
    protocol,
    hostname: isBracketed ? hostname.slice(1, -1) : hostname,
    hash,
    search,
    pathname,
    path: pathname + search,
    href,
  };
  if (port !== '') options.port = Number(port);
  if (username || password) options.auth = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return options;
}

module.exports = { parseArguments };

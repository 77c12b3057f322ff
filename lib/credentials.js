'use strict';

/**
 * What is told of a call may end in logs and traces. The name and password that a URL can carry are not told, neither in a
 * URL nor in the message of a client that quotes it.
 */

const CREDENTIALS = /:\/\/[^\s/?#]*@/g;

/**
 * @template {string | undefined} T
 * @param {T} url
 * @returns {T}
 */
function withoutCredentials(url) {
  if (url === undefined || !url.includes('@')) return url;
  if (!URL.canParse(url)) return quotedWithoutCredentials(url);
  // Not by a pattern: there are too many ways to write them.
  const parsed = new URL(url);
  if (parsed.username === '' && parsed.password === '') return url;
  parsed.username = '';
  parsed.password = '';
  return parsed.href;
}

/**
 * @param {string} text in which URLs may stand
 * @returns {string}
 */
function quotedWithoutCredentials(text) {
  return text.replace(CREDENTIALS, '://');
}

module.exports = { withoutCredentials, quotedWithoutCredentials };

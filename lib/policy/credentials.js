'use strict';

/** What is told of a request may end in logs and traces: the name and password that a URL can carry are not told. */

const CREDENTIALS = /^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i;

/**
 * @param {string} url
 * @returns {string}
 */
function withoutCredentials(url) {
  return url.replace(CREDENTIALS, '$1');
}

module.exports = { withoutCredentials };

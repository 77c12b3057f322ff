'use strict';

/**
 * What is told of a call may end in logs and traces. The name and password that a URL can carry are not told, neither in a
 * URL nor in the message of a client that quotes it.
 */

const CREDENTIALS = /:\/\/[^\s/?#]*@/g;

/**
 * @param {string} text
 * @returns {string}
 */
function withoutCredentials(text) {
  return text.replace(CREDENTIALS, '://');
}

module.exports = { withoutCredentials };

'use strict';

/**
 * The `onRequest` hook, by which tracing adds its headers. It runs once for each call, before the first attempt: every
 * attempt sends the same request, so that a server which sees two of them can tell that they are one.
 */

const { checkFunction, invalidType } = require('../validate');

/**
 * @param {unknown} value
 * @param {string} [name]
 * @returns {Function | undefined}
 */
function checkOnRequest(value, name = 'onRequest') {
  return value === undefined ? undefined : checkFunction(value, name);
}

/**
 * @param {Function} onRequest
 * @param {import('../..').RequestHeaders} headers what the hook may read and change
 * @param {{ method: string, url: string }} context
 * @throws what the hook throws, and a TypeError where it is asynchronous: the request would leave without its headers
 */
function callOnRequest(onRequest, headers, context) {
  const returned = onRequest(headers, context);
  if (typeof returned?.then === 'function') {
    // Whatever comes of it is told by this error.
    returned.then(undefined, () => {});
    throw invalidType('onRequest', 'a function that returns nothing, since the request does not wait for a promise', returned);
  }
}

module.exports = { checkOnRequest, callOnRequest };

'use strict';

/**
 * What a call is rejected with where the client was not asked, or has answered already. It has the class that the client's
 * own error for it would have, as far as that can be reached from its function.
 */

const { FaultError } = require('../../errors');
const { reasonOf } = require('../../abort');
const { discard } = require('./discard');
const { isNodeStream } = require('./streams');

/** The breaker refuses: what the client would throw for a refused connection. */
function refused(inner, fault) {
  const cause = new FaultError(fault);
  const { FetchError } = inner;
  const error = typeof FetchError === 'function'
    ? new FetchError(`request failed, reason: ${fault.reason}`, 'system', cause)
    : new TypeError('fetch failed');
  error.code = fault.code;
  error.cause = cause;
  return error;
}

/**
 * The caller aborted between two attempts.
 *
 * By the standard that is the signal's reason. node-fetch has an error of its own: version 2 has its class on the function,
 * of version 3 it is had only by calling it. It looks at the signal before it does anything else.
 *
 * @param {Function} inner
 * @param {import('./request').ReadRequest} request
 * @param {{ error?: unknown, response?: any }} last what the client came to before
 */
async function aborted(inner, { url, signal }, { error, response }) {
  const reason = reasonOf(signal);
  if (typeof inner.AbortError === 'function') return new inner.AbortError('The user aborted a request.');
  if (error?.name !== 'FetchError' && !isNodeStream(response?.body)) return reason;
  try {
    await discard(await inner(url, { signal }));
  } catch (abortError) {
    return abortError;
  }
  return reason;
}

module.exports = { refused, aborted };

'use strict';

/**
 * Errors that Node makes inside of a request, for the moments in which there is none to make them; and one of our
 * own.
 */

const { FaultError } = require('../../errors');

/** What a request fails with that is destroyed without a reason. */
function hangUp() {
  return withCode('socket hang up', 'ECONNRESET');
}

function writeAfterEnd() {
  return withCode('write after end', 'ERR_STREAM_WRITE_AFTER_END');
}

/** What a refused connection is: an Error with a code. @param {import('../../..').Fault} fault */
function breakerOpen(fault) {
  const cause = new FaultError(fault);
  return Object.assign(new Error(cause.message, { cause }), { code: fault.code });
}

/** Whether the request goes on after it: the caller has used it in a wrong way. */
function isMisuse(error) {
  return error?.code === 'ERR_STREAM_WRITE_AFTER_END' || error?.code === 'ERR_STREAM_CANNOT_PIPE';
}

function withCode(message, code) {
  return Object.assign(new Error(message), { code });
}

module.exports = { breakerOpen, hangUp, isMisuse, writeAfterEnd };

'use strict';

/** What is the same of Redis, whichever client speaks to it. */

const { FaultError } = require('../errors');
const { faultOfCode } = require('../fault/of-code');

/** Of a command whose answer was lost. */
function endedError() {
  return new FaultError(faultOfCode('ECONNRESET', {
    reason: 'The connection was lost while the command waited for its answer. It may have been done, and is not sent again.',
  }));
}

/** The server is a replica, or has become one: another connection may lead to its master. */
function isReadOnly(error) {
  return typeof error?.message === 'string' && error.message.startsWith('READONLY ');
}

module.exports = { endedError, isReadOnly };

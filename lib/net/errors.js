'use strict';

/** What a socket fails with, and what it tells the callbacks of writes. */

const { FaultError } = require('../errors');

/** Why a socket gave up: the fault that was the last one, and what was tried. */
function endError({ fault, gaveUp, attempts }) {
  const error = new FaultError(fault);
  if (gaveUp) error.gaveUp = gaveUp;
  error.attempts = attempts;
  return error;
}

const UNSENT = {
  expired: {
    code: 'ERR_SOCKET_WRITE_EXPIRED',
    delivery: 'not-sent',
    message: 'The write waited for a connection for longer than queue.age; none of it was sent.',
  },
  cut: {
    code: 'ERR_SOCKET_WRITE_CUT',
    delivery: 'unknown',
    message: 'The connection was lost with only part of the message sent; the rest was not sent on another one.',
  },
  full: {
    code: 'ERR_SOCKET_QUEUE_FULL',
    delivery: 'not-sent',
    message: 'The write does not fit into queue.bytes; none of it was sent.',
  },
};

/**
 * What became of a write that was not sent.
 *
 * @param {'expired' | 'cut' | 'full'} why
 * @param {object} [fault] that of the connection
 */
function unsentError(why, fault) {
  const { message, ...fields } = UNSENT[why];
  return Object.assign(new Error(message, fault && { cause: new FaultError(fault) }), fields);
}

/** For writes that were not settled when the socket was destroyed. */
function destroyedError(cause) {
  const error = new Error('The socket was destroyed before the write was known to be sent.', cause && { cause });
  return Object.assign(error, { code: 'ERR_STREAM_DESTROYED', delivery: 'unknown' });
}

function closedError(message = 'The socket is closed. A socket is not revived: make another one.') {
  return Object.assign(new Error(message), { code: 'ERR_SOCKET_CLOSED' });
}

module.exports = { closedError, destroyedError, endError, unsentError };

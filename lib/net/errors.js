'use strict';

/** What a socket fails with, and what it tells the callbacks of writes. */

const { FaultError } = require('../errors');
const { faultOfCode } = require('../fault/of-code');

/**
 * Why a socket gave up: the fault that was the last one, and what was tried.
 *
 * @param {{ fault: import('../..').Fault, gaveUp: string | null, attempts: number }} end
 * @param {unknown} [cause] what `onConnect` threw, if that is what it was
 */
function endError({ fault, gaveUp, attempts }, cause) {
  const error = new FaultError(fault, cause);
  if (gaveUp) error.gaveUp = gaveUp;
  error.attempts = attempts;
  return error;
}

const UNSENT = {
  expired: 'ERR_SOCKET_WRITE_EXPIRED',
  cut: 'ERR_SOCKET_WRITE_CUT',
  full: 'ERR_SOCKET_QUEUE_FULL',
};

/**
 * What became of a write that was not sent.
 *
 * @param {keyof UNSENT} why
 * @param {object} [fault] that of the connection
 */
function unsentError(why, fault) {
  return new FaultError(faultOfCode(UNSENT[why]), fault && new FaultError(fault));
}

/** For writes that were not settled when the socket was destroyed. */
function destroyedError(delivery, cause) {
  const reason = 'The socket was destroyed before the write was known to be sent.';
  return new FaultError(faultOfCode('ERR_STREAM_DESTROYED', { delivery, reason }), cause ?? undefined);
}

function closedError(reason) {
  return new FaultError(faultOfCode('ERR_SOCKET_CLOSED', { reason }));
}

/** For a session whose `onConnect` has returned. */
function sessionOverError() {
  return new FaultError(faultOfCode('ERR_SOCKET_SESSION_OVER'));
}

/** For a second read at a time. */
function sessionBusyError() {
  return new FaultError(faultOfCode('ERR_SOCKET_SESSION_BUSY'));
}

module.exports = { closedError, destroyedError, endError, sessionBusyError, sessionOverError, unsentError };

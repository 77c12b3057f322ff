'use strict';

/**
 * Announces the socket of an attempt, and keeps its errors from those who listen to it.
 *
 * Some callers take the socket that 'socket' brings and listen to its 'error': axios ends its call then. But the
 * error of a socket is that of an attempt, not of the request. Listeners that are added while the socket is
 * announced are not told of it as long as there may be another attempt; whether there is one, the request tells.
 */

const COURSE = Symbol('course');

/**
 * @param {import('node:net').Socket} socket
 * @param {import('./course').Course} course of the request that the socket is for now
 * @returns {boolean} whether somebody has heard it
 */
function announce(socket, course) {
  const { facade } = course;
  // For each request: nearly all have nobody to tell, and nearly all sockets were never listened to.
  if (facade.listenerCount('socket') === 0) {
    if (socket[COURSE] !== undefined) socket[COURSE] = course;
    return false;
  }
  socket[COURSE] = course;
  const before = socket.rawListeners('error');
  facade.emit('socket', socket);
  for (const listener of socket.rawListeners('error')) {
    if (!before.includes(listener)) guard(socket, listener);
  }
  return true;
}

/** The request is over, and its socket may go on: it must not hold what the request held. */
function release(socket, course) {
  if (socket?.[COURSE] === course) socket[COURSE] = null;
}

function guard(socket, listener) {
  function guarded(error) {
    if (!this[COURSE]?.keepsErrorsOf(this)) listener.call(this, error);
  }
  // By this, `removeListener` finds it as if it were the original; that of a `once` has it already.
  guarded.listener = listener.listener ?? listener;
  socket.removeListener('error', listener);
  socket.on('error', guarded);
}

module.exports = { announce, release };

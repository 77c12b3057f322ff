'use strict';

/** Makes the response of an attempt that of the facade. */

const { IncomingMessage } = require('node:http');

const COURSE = Symbol('course');

/**
 * Gives it `req` and `recovery`, and sees to it that the error of a body that breaks has its recovery.
 *
 * @param {IncomingMessage} response
 * @param {import('./course').Course} course
 */
function present(response, course) {
  response[COURSE] = course;
  response.recovery = course.recovery;
  response.req = course.facade;
  // When a response ends, Node gives the connection of its `req` back to the agent, in the first listener of 'end'.
  response.prependListener('end', showAttempt);
  response.on('end', showFacade);
  response.destroy = destroy;
}

function showAttempt() {
  this.req = this[COURSE].request;
}

function showFacade() {
  this.req = this[COURSE].facade;
}

/**
 * Node ends a response whose connection is lost by this. A listener of 'error' would not do: with it the error is emitted
 * that is otherwise kept from programs that do not listen.
 */
function destroy(error) {
  const isLost = error !== undefined && error !== null && !this.complete && this.socket?.destroyed !== false;
  if (isLost) {
    this[COURSE].onBrokenBody(error);
    this.recovery = this[COURSE].recovery;
  }
  return IncomingMessage.prototype.destroy.call(this, error);
}

/**
 * Lets go of a response that is not the answer. One that has arrived whole gives its connection back to the agent; for
 * another, nobody waits.
 */
function dispose(response, request) {
  if (response.complete && request.writableFinished) response.resume();
  else request.destroy();
}

module.exports = { dispose, present };

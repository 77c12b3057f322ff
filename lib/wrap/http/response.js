'use strict';

/** Makes the response of an attempt that of the facade. */

const COURSE = Symbol('course');

/**
 * Gives it `req` and `recovery`, and sees to it that the error of a body that breaks has its recovery.
 *
 * @param {import('node:http').IncomingMessage} response
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
 * Node ends a response whose connection is lost by this. A listener of 'error' would not do: with it the error is
 * emitted that is otherwise kept from programs that do not listen.
 */
function destroy(error) {
  const isLost = error !== undefined && error !== null && !this.complete && this.socket?.destroyed !== false;
  if (isLost) {
    this[COURSE].onBrokenBody(error);
    this.recovery = this[COURSE].recovery;
  }
  return Object.getPrototypeOf(this).destroy.call(this, error);
}

/** A response that is not shown, because it may not be the answer; and what becomes of its connection meanwhile. */
class HeldResponse {
  /** That of its request. */
  error = undefined;
  /** Its request has told its close. */
  closed = false;

  /** @param {import('node:http').IncomingMessage} response */
  constructor(response) {
    this.response = response;
  }

  /** Whether it can no longer be read to its end. */
  get isBroken() {
    return this.error !== undefined || (this.response.destroyed && !this.response.complete);
  }

  /**
   * Lets go of it. One that has arrived whole gives its connection back to the agent when it is read; to destroy its
   * request would do nothing, in newer releases of Node. For the rest of another, nobody waits.
   *
   * @param {import('node:http').ClientRequest} request
   */
  dispose(request) {
    if (this.response.complete && request.writableFinished) this.response.resume();
    else request.destroy();
  }
}

module.exports = { HeldResponse, present };

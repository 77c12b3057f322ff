'use strict';

/**
 * Lets a course hear what the request of an attempt emits, before anybody else is told.
 *
 * Listeners could not do that: they cannot keep an 'error' from others, and to listen to 'response' or 'upgrade'
 * changes what Node does with them. So the request's `emit` and `listenerCount` are replaced, on this one object.
 */

/**
 * The course of a request that was adopted, and its own `emit`, which an instrumentation may have replaced as well.
 */
const ADOPTED = Symbol('adopted');

/** What Node looks for listeners of before it hands over the connection. */
const HANDED_OVER = new Set(['upgrade', 'connect']);

/**
 * @param {import('node:http').ClientRequest} request made a moment ago
 * @param {{ hear(request: object, event: string | symbol, args: unknown[]): boolean,
 *   listenerCount(request: object, event: string | symbol): number }} course `hear` is given the event and its
 *   arguments
 */
function adopt(request, course) {
  request[ADOPTED] = { course, ownEmit: request.emit, ownListenerCount: request.listenerCount };
  request.emit = emit;
  request.listenerCount = listenerCount;
  return request;
}

function emit(...args) {
  const [event] = args;
  const { course, ownEmit, ownListenerCount } = this[ADOPTED];
  // Its own listeners are Node's, an agent's, an instrumentation's. An 'error' without any would throw.
  const isOwn = event !== 'error' || ownListenerCount.call(this, event) > 0;
  const heard = isOwn && ownEmit.apply(this, args);
  return course.hear(this, event, args) || heard;
}

function listenerCount(event, listener) {
  const { course, ownListenerCount } = this[ADOPTED];
  const own = ownListenerCount.call(this, event, listener);
  return HANDED_OVER.has(event) ? own + course.listenerCount(this, event) : own;
}

module.exports = { adopt };

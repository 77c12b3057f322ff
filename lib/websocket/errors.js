'use strict';

/** What a WebSocket fails with, and what it tells the callbacks of messages. */

const { FaultError } = require('../errors');
const { endError } = require('../net/errors');

/** The words of `send`'s promise, and what a fault calls them. */
const DELIVERY = { unsent: 'not-sent', unknown: 'unknown' };

const WHY = {
  expired: {
    code: 'ERR_WEBSOCKET_MESSAGE_EXPIRED',
    message: 'The message waited for a connection for longer than queue.age; none of it was sent.',
  },
  lost: {
    code: 'ERR_WEBSOCKET_MESSAGE_CUT',
    message: 'The connection was lost when the message, or part of it, had left; it was not sent again.',
  },
  oversized: {
    code: 'ERR_WEBSOCKET_MESSAGE_OVERSIZED',
    message: 'The peer ends the connection when it gets the message, which is set aside.',
  },
  overflow: { code: 'ERR_WEBSOCKET_QUEUE_FULL', message: 'The message does not fit into queue.bytes; none of it was sent.' },
  closed: { code: 'ERR_WEBSOCKET_CLOSED', message: 'The WebSocket was closed before the message was known to be sent.' },
};

/**
 * What became of a message that was not written.
 *
 * @param {{ outcome: 'unsent' | 'unknown', why: keyof WHY, fault?: import('../..').Fault }} fate
 */
function deliveryError({ outcome, why, fault }) {
  const { code, message } = WHY[why];
  const error = new Error(message, fault && { cause: new FaultError(fault) });
  return Object.assign(error, { code, delivery: DELIVERY[outcome] });
}

function queueFullError() {
  return deliveryError({ outcome: 'unsent', why: 'overflow' });
}

/** For what is asked of a WebSocket that is closing or closed. */
function closedError(message = 'The WebSocket is closing or closed.') {
  return Object.assign(new Error(message), { code: WHY.closed.code, delivery: 'not-sent' });
}

/** For a ping: it cannot wait for a connection, as it would then say nothing about this one. */
function notOpenError() {
  return Object.assign(new Error('The WebSocket is not open at present.'), { code: 'ERR_WEBSOCKET_NOT_OPEN', delivery: 'not-sent' });
}

/** In the words of `ws`, which programs match on. */
function closedEarlyError() {
  return Object.assign(new Error('WebSocket was closed before the connection was established'), { code: WHY.closed.code });
}

/** Why a WebSocket gave up. */
function finalError(event) {
  const error = endError(event);
  if (error.status !== undefined) error.message = `Unexpected server response: ${error.status}`;
  return error;
}

module.exports = { closedEarlyError, closedError, deliveryError, finalError, notOpenError, queueFullError };

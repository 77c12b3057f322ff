'use strict';

/**
 * Bodies of answers that are handed over as streams. Nothing can be repeated once somebody reads, but the error with which
 * such a body breaks tells what the call has been through, and the policy's listeners are told.
 */

const { EventEmitter } = require('node:events');
const { classify } = require('../../fault');
const { withRecovery } = require('../../policy/recovery');

/** What a body is classified with, where its error does not say more. */
const INSIDE = Object.freeze({ phase: 'receive', delivery: 'answered' });

/**
 * @param {object} response whose `data` may be a stream of either kind
 * @param {import('../../policy/call').PolicyCall} call
 * @param {() => void} [onEnd] called when nothing can come any more, or at once where the body is no stream
 */
function watchBody(response, call, onEnd) {
  const { data } = response;
  if (isNodeStream(data)) {
    // Not an ordinary listener: with one, an error that nobody handles would not end the process any longer.
    data.on(EventEmitter.errorMonitor, (error) => broke(error, call));
    if (data.closed) onEnd?.();
    else if (onEnd !== undefined) data.once('close', onEnd);
  } else if (isWebStream(data) && !data.locked) {
    response.data = watched(data, call, onEnd);
  } else {
    onEnd?.();
  }
}

/** The body of a response that gives way to another attempt: its connection must not wait for somebody to read it. */
function discardBody(response) {
  const data = response?.data;
  if (isNodeStream(data)) data.destroy?.();
  else if (isWebStream(data) && !data.locked) data.cancel().catch(() => {});
}

/** Its errors reach readers only, so they pass through here. Of the given one's type, so that BYOB readers work. */
function watched(stream, call, onEnd) {
  const type = isByteStream(stream) ? 'bytes' : undefined;
  const reader = stream.getReader();
  return new ReadableStream(
    {
      type,
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (!done) return controller.enqueue(value);
          controller.close();
          controller.byobRequest?.respond(0);
        } catch (error) {
          broke(error, call);
          onEnd?.();
          throw error;
        }
        return onEnd?.();
      },
      cancel(reason) {
        onEnd?.();
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}

function isByteStream(stream) {
  try {
    stream.getReader({ mode: 'byob' }).releaseLock();
    return true;
  } catch {
    return false;
  }
}

function broke(error, call) {
  const fault = classify(error, INSIDE);
  // What is not transient is the caller's doing: an abort, an error to destroy it with, a limit of its own.
  if (fault.transient) call.broke(fault);
  withRecovery(error, call.recovery);
}

function isNodeStream(data) {
  return typeof data?.pipe === 'function' && typeof data.on === 'function';
}

function isWebStream(data) {
  return typeof data?.getReader === 'function';
}

module.exports = { watchBody, discardBody };

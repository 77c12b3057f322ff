'use strict';

/**
 * The body of a response that nobody will read, because the call is made again. Unread it would hold its connection, in
 * node-fetch for ever. A short one is read, so that its connection serves the next attempt; of any other the connection is
 * ended.
 */

const { soon, nextTurn, NOT_YET } = require('../../fetch/request-body');
const { isStream } = require('../../fetch/brands');
const { NODE, isNodeStream } = require('./streams');

/** What is read at most, in bytes: pages that say "try again later" are shorter. */
const DRAINED_AT_MOST = 64 * 1024;

/**
 * @param {unknown} response
 * @returns {Promise<void>} when its connection is free or ended; it takes a few turns of the event loop, never a wait
 */
async function discard(response) {
  const reader = readerOf(response?.body);
  if (reader === undefined) return;
  try {
    for (let size = 0; size <= DRAINED_AT_MOST;) {
      const step = await soon(reader.read());
      if (step === NOT_YET) break;
      if (step.done) {
        // The client takes the connection back when all that the end of the body sets off is done.
        await nextTurn();
        return;
      }
      size += step.value.byteLength;
    }
    await reader.cancel();
  } catch {
    // It broke meanwhile: its connection is ended.
  }
}

function readerOf(body) {
  // A mock may give the same response again, which then has been read.
  if (isStream(body)) return body.locked ? undefined : body.getReader();
  if (!isNodeStream(body)) return undefined;
  const { read } = NODE.reader(body)();
  return { read, cancel: () => endConnection(body) };
}

/**
 * Ends the connection behind the body of a response of node-fetch. The body is at the end of a chain of `pipe`s, which pass
 * on no end: to destroy it alone leaves the connection open and unread.
 *
 * @param {import('node:stream').Readable} body
 * @param {Error} [error] for who reads it
 */
function endConnection(body, error) {
  body.once('unpipe', (source) => endConnection(source));
  body.destroy(error);
}

module.exports = { discard, endConnection };

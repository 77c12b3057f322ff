'use strict';

/**
 * The body of a `Request` object.
 *
 * A Request shows its body as a stream only, whatever it was made from. Sent as a stream, a JSON text would lose
 * its Content-Length and go out chunked, which some servers refuse. So the stream is read first, for as long as
 * it has something ready: a body that was in memory ends within a few turns of the event loop, and is known bytes
 * again. A live stream does not, and goes out as what it is, beginning with what was read.
 */

// Taken once: a test that fakes timers later does not stop it.
const { setImmediate } = require('node:timers');

/** What is read ahead at most: the bound that native code keeps for a replay. */
const READ_AHEAD = 1024 * 1024;

/** Turns of the event loop that a piece is waited for. A Blob of several parts takes one for each in Node 24. */
const PATIENCE = 4;

const NOT_YET = Symbol('not yet');

/**
 * @param {ReadableStream<Uint8Array>} stream
 * @returns {Promise<import('./body').ExtractedBody>}
 */
async function extractRequestBody(stream) {
  const reader = stream.getReader();
  const chunks = [];
  let size = 0;
  let pending;
  // A long first piece gets one more look: what was made from a text comes in one, and ends behind it.
  while (size <= READ_AHEAD || chunks.length === 1) {
    pending ??= reader.read();
    // A stream that fails is sent like one that has more to come: the attempt meets the failure and reports it.
    const step = await soon(pending).catch(() => NOT_YET);
    if (step === NOT_YET) break;
    pending = undefined;
    if (step.done) return { bytes: Buffer.concat(chunks) };
    chunks.push(step.value);
    size += step.value.byteLength;
  }
  return { open: () => continued(chunks, pending, reader) };
}

/** A stream, not a generator: to be cancelled it must not have to wait for the next piece. */
function continued(chunks, pending, reader) {
  let next = 0;
  return new ReadableStream(
    {
      async pull(controller) {
        if (next < chunks.length) {
          controller.enqueue(chunks[next++]);
          return;
        }
        const { done, value } = await (pending ?? reader.read());
        pending = undefined;
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

/** What a read gives, if it gives it within a few turns of the event loop; otherwise {@link NOT_YET}. */
async function soon(pending) {
  let step = NOT_YET;
  for (let turn = 0; turn < PATIENCE && step === NOT_YET; turn++) step = await Promise.race([pending, nextTurn()]);
  return step;
}

function nextTurn() {
  return new Promise((resolve) => {
    setImmediate(resolve, NOT_YET);
  });
}

module.exports = { extractRequestBody, soon, nextTurn, NOT_YET };

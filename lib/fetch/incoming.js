'use strict';

/**
 * A response body that had not arrived with its head: read piece by piece, or collected at once.
 *
 * If the response is forgotten unread, so is this object, and the collector of garbage ends the transfer: a body
 * that nobody reads must not hold its connection for ever.
 */

const { toThrow } = require('../errors');

const forgotten = new FinalizationRegistry((call) => call.cancel());

class Incoming {
  /** @param {import('./call').Call} call */
  constructor(call) {
    this.call = call;
    // The call knows nothing of this object, so it does not keep it alive.
    forgotten.register(this, call, this);
  }

  /** @returns {Promise<Uint8Array>} all of it */
  async collect() {
    const { bytes } = await this.#ask(false);
    return bytes ?? new Uint8Array(0);
  }

  /** @returns {Promise<{ bytes: Uint8Array | undefined, done: boolean }>} what has gathered, at least one byte, or the end */
  read() {
    return this.#ask(true);
  }

  /** A byte stream of it, whose pull reaches the socket. */
  stream() {
    // What breaks is found when the stream asks for more, and there the stack says nothing about who reads it.
    const askedAt = {};
    Error.captureStackTrace(askedAt);
    return new ReadableStream(
      {
        type: 'bytes',
        start: (controller) => {
          this.call.streaming = new WeakRef(controller);
        },
        pull: async (controller) => {
          const { bytes, done } = await this.#ask(true, askedAt);
          if (bytes !== undefined) controller.enqueue(bytes);
          if (done) {
            controller.close();
            // A pending BYOB read is answered only through its request.
            controller.byobRequest?.respond(0);
          }
        },
        cancel: () => this.cancel(),
      },
      { highWaterMark: 0 },
    );
  }

  /** Ends the transfer. */
  cancel() {
    forgotten.unregister(this);
    this.call.cancel();
  }

  async #ask(piece, askedAt) {
    try {
      const answer = await this.call.readBody(piece);
      if (answer.done) forgotten.unregister(this);
      return answer;
    } catch (failure) {
      throw toThrow(failure, this.#ask, askedAt);
    }
  }
}

module.exports = { Incoming };

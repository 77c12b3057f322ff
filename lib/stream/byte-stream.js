'use strict';

/** What `download` and `resumable` have in common: a Readable that tells how far it has come and where it went on. */

const { AsyncResource } = require('node:async_hooks');
const { Readable } = require('node:stream');
const { isNativeError } = require('node:util/types');
const { reasonOf, unwatch, watch } = require('../abort');

/** Its subclasses read in `_next`, until they have handed something on or have come to the end. */
class ByteStream extends Readable {
  /** Events and hooks run in the context of whoever made the stream, whoever reads it. */
  #scope = new AsyncResource('UNRESET_STREAM');
  #signal;
  #watching = { abort: (reason) => this._inScope(() => this.destroy(reason)) };
  #bytes = 0;
  #total;
  #ownsPieces;

  /** @param {{ highWaterMark: number, ownsPieces?: boolean }} options `ownsPieces`: nobody else has the memory of what is handed on */
  constructor({ highWaterMark, ownsPieces = false }) {
    super({ highWaterMark });
    this.#ownsPieces = ownsPieces;
  }

  /** Bytes that have been handed on. */
  get bytes() {
    return this.#bytes;
  }

  /** Of the whole, in bytes; `null` where nobody has said it. */
  get total() {
    return this.#total ?? null;
  }

  /** Said once, by whoever knows. */
  set total(bytes) {
    this.#total ??= bytes;
  }

  /**
   * Every Readable has an event 'resume' of its own, without an argument, for when it begins to flow. Nobody who listens
   * for the one of this package could tell them apart, so that one is not told.
   */
  emit(event, ...args) {
    if (event === 'resume' && args.length === 0) return false;
    return super.emit(event, ...args);
  }

  /**
   * The same as a web stream. To be asked for before anything reads this one.
   *
   * @returns {ReadableStream<Uint8Array>}
   */
  web() {
    let pieces;
    // The web stream tells its reader. Who only has that cannot listen here, and an 'error' without a listener ends the process.
    this.on('error', () => {});
    return new ReadableStream(
      {
        type: 'bytes',
        start: () => {
          pieces = this[Symbol.asyncIterator]();
        },
        pull: async (controller) => {
          const { done, value } = await pieces.next();
          if (!done) {
            controller.enqueue(this.#ownsPieces ? owned(value) : copied(value));
            return;
          }
          controller.close();
          // A pending BYOB read is answered only through its request.
          controller.byobRequest?.respond(0);
        },
        cancel: (reason) => void this.destroy(isNativeError(reason) ? reason : undefined),
      },
      { highWaterMark: 0 },
    );
  }

  /** The signal ends it at once, whether anybody reads it or not. */
  _watch(signal) {
    if (signal === undefined || this.destroyed) return;
    if (signal.aborted) {
      this.destroy(reasonOf(signal));
      return;
    }
    this.#signal = signal;
    watch(signal, this.#watching);
  }

  _destroy(error, callback) {
    if (this.#signal !== undefined) unwatch(this.#signal, this.#watching);
    callback(error);
  }

  _read() {
    this._inScope(() => void this._next());
  }

  /** Hands a piece on, and says so. What a listener throws is no fault of the source: it ends the stream. */
  _give(bytes) {
    this.#bytes += bytes.byteLength;
    try {
      this.push(bytes);
      this.emit('progress', { bytes: this.#bytes, total: this.total });
    } catch (error) {
      this.destroy(error);
    }
  }

  /** @param {() => void} work */
  _inScope(work) {
    this.#scope.runInAsyncScope(work);
  }
}

/** A web stream takes the memory of what it is given away, which must be that piece's alone. */
function owned(bytes) {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : copied(bytes);
}

/** Not `Buffer.prototype.slice`, which shares. */
function copied(bytes) {
  return Uint8Array.prototype.slice.call(bytes);
}

module.exports = { ByteStream };

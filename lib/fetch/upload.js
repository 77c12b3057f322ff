'use strict';

/**
 * A request body that is read while it is sent: native code pulls, this answers.
 *
 * Each attempt that sends the body is one reading of it. A stream has one reading, which later attempts go on
 * with; a function is called for each.
 */

const { AsyncResource } = require('node:async_hooks');
const { nativeEngine } = require('../engine/engine');
const { invalidArgument } = require('../validate');
const { isStream } = require('./brands');

class Upload {
  /**
   * @param {import('./call').Call} call
   * @param {() => unknown} source makes what is read: a stream, an async iterable, bytes or a string
   */
  constructor(call, source) {
    this.call = call;
    this.source = source;
    /**
     * The readings that native code still sends; `null` where the source has ended.
     *
     * @type {Map<number, Promise<Reader> | null>}
     */
    this.readings = new Map();
    /** What the source failed with, for the error of the call. */
    this.failure = undefined;
    /** The source is the caller's code and runs in the caller's async context, whoever's turn it is. */
    this.resource = new AsyncResource('UNRESET_BODY');
  }

  /** Whether some of the body is still to be sent: then the process must not end. */
  get isReading() {
    return this.readings.size > 0;
  }

  onPull(reading) {
    let opened = this.readings.get(reading);
    if (opened === undefined) {
      opened = this.resource.runInAsyncScope(openReader, undefined, this.source);
      this.readings.set(reading, opened);
    }
    this.resource.runInAsyncScope(this.#answer, this, reading, opened);
  }

  /** Native code has sent all of a reading, or does not want the rest. */
  onDropped(reading, reason) {
    const opened = this.readings.get(reading);
    this.readings.delete(reading);
    if (this.call.isAnswered) this.call.stopWaiting();
    if (!opened) return;
    // What the source says to being cancelled concerns nobody: the call has ended, or goes on without it.
    this.resource.runInAsyncScope(() => opened.then((reader) => reader.cancel(reason)).catch(() => {}));
  }

  /** The call has ended: its source learns that nobody reads on, and can close its files. */
  end(reason) {
    for (const reading of this.readings.keys()) this.onDropped(reading, reason);
  }

  async #answer(reading, opened) {
    const engine = nativeEngine();
    const { id } = this.call;
    try {
      const reader = await opened;
      for (;;) {
        const { done, value } = await reader.read();
        if (done) {
          this.readings.set(reading, null);
          engine.finishSupply(id, reading, false);
          return;
        }
        const bytes = bytesOf(value);
        // An empty piece is no answer: native code would take it for the end of the wait.
        if (bytes.byteLength === 0) continue;
        engine.supply(id, reading, bytes);
        return;
      }
    } catch (error) {
      this.readings.set(reading, null);
      this.failure ??= { error };
      engine.finishSupply(id, reading, true);
    }
  }
}

/**
 * @typedef {{ read(): Promise<{ done: boolean, value: unknown }>, cancel(reason: unknown): unknown }} Reader
 * @returns {Promise<Reader>}
 */
async function openReader(source) {
  const made = await source();
  if (isStream(made)) {
    const reader = made.getReader();
    return { read: () => reader.read(), cancel: (reason) => reader.cancel(reason) };
  }
  const iterable = typeof made === 'string' || ArrayBuffer.isView(made) ? [made] : made;
  const iterator = iterable?.[Symbol.asyncIterator]?.() ?? iterable?.[Symbol.iterator]?.();
  if (iterator === undefined) {
    throw invalidArgument('body: the function must return a ReadableStream, an async iterable, bytes or a string');
  }
  return { read: async () => iterator.next(), cancel: async () => iterator.return?.() };
}

function bytesOf(value) {
  if (typeof value === 'string') return Buffer.from(value);
  if (value instanceof Uint8Array) return value;
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  throw invalidArgument(`body: a stream must yield bytes (Uint8Array) or strings, not ${typeof value}`);
}

module.exports = { Upload, openReader, bytesOf };

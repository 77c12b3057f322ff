'use strict';

/**
 * A request body that is read while it is sent: native code pulls, this answers.
 *
 * Each attempt that sends the body is one reading of it. A stream has one reading, which later attempts go on
 * with; a function is called for each.
 */

const { nativeEngine } = require('../engine/engine');
const { isStream } = require('./brands');

class Upload {
  /**
   * @param {import('./call').Call} call
   * @param {() => unknown} source makes what is read: a stream, an async iterable, bytes or a string
   */
  constructor(call, source) {
    this.call = call;
    this.source = source;
    /** @type {Map<number, Promise<Reader>>} */
    this.readings = new Map();
    /** What the source failed with, for the error of the call. */
    this.failure = undefined;
  }

  onPull(reading) {
    let opened = this.readings.get(reading);
    if (opened === undefined) {
      opened = openReader(this.source);
      this.readings.set(reading, opened);
    }
    this.#answer(reading, opened);
  }

  onDropped(reading, reason) {
    const opened = this.readings.get(reading);
    this.readings.delete(reading);
    // What the source says to being cancelled concerns nobody: the call has ended, or goes on without it.
    opened?.then((reader) => reader.cancel(reason)).catch(() => {});
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
          this.readings.delete(reading);
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
      this.readings.delete(reading);
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
    throw new TypeError('body: the function must return a ReadableStream, an async iterable, bytes or a string');
  }
  return { read: async () => iterator.next(), cancel: async () => iterator.return?.() };
}

function bytesOf(value) {
  if (typeof value === 'string') return Buffer.from(value);
  if (value instanceof Uint8Array) return value;
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  throw new TypeError(`body: a stream must yield bytes (Uint8Array) or strings, not ${typeof value}`);
}

module.exports = { Upload, openReader, bytesOf };

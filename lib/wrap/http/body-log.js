'use strict';

/**
 * What the caller has written so far, so that another attempt can send the same.
 *
 * Kept are the calls, not only the bytes: whether the first of them was `end(chunk)` decides between Content-Length and
 * chunks, and the chunks of the second attempt are then those of the first.
 */

/** Bytes. What is longer is not repeated: as for the stream bodies of this package's `fetch`. */
const KEPT_AT_MOST = 1024 * 1024;

class BodyLog {
  /** @type {Entry[]} */
  #entries = [];
  #bytes = 0;
  #kept;
  #headersFlushed = false;
  #ended = false;

  /** @param {boolean} kept whether there may be another attempt at all */
  constructor(kept) {
    this.#kept = kept;
  }

  /** Whether an attempt can be given all that was written. */
  get replays() {
    return this.#kept;
  }

  /** @returns {Entry} what is to be told when the chunk has left */
  write(chunk, encoding, callback) {
    const entry = this.#keep(chunk, encoding, callback);
    this.#trim();
    return entry;
  }

  /** As {@link BodyLog#write}, where there is no attempt that could take the chunk: then it is kept whatever its size. */
  writeForLater(chunk, encoding, callback) {
    this.#keep(chunk, encoding, callback);
  }

  /** @param {unknown} [chunk] as given to `end` */
  end(chunk, encoding) {
    this.endForLater(chunk, encoding);
    this.#trim();
  }

  endForLater(chunk, encoding) {
    this.#ended = true;
    if (chunk) this.#keep(chunk, encoding);
  }

  flushHeaders() {
    if (this.#entries.length === 0) this.#headersFlushed = true;
  }

  /**
   * Gives a new attempt all that was written.
   *
   * @param {import('node:http').ClientRequest} request
   * @param {(entry: Entry, error?: Error) => void} onWritten
   * @returns {boolean} whether it takes more at once
   */
  replay(request, onWritten) {
    if (this.#headersFlushed) request.flushHeaders();
    let takesMore = true;
    for (const entry of this.#entries) {
      const { chunk, encoding } = entry;
      if (entry.ends) request.end(chunk, encoding);
      else takesMore = request.write(chunk, encoding, entry.callback && ((error) => onWritten(entry, error)));
    }
    if (this.#ended && !this.#entries.at(-1)?.ends) request.end();
    this.#trim();
    return takesMore;
  }

  /** Nothing will be sent again. */
  forget() {
    this.#kept = false;
    this.#entries = [];
  }

  /** Those who still wait to hear that their chunk has left. @returns {Function[]} */
  takeCallbacks() {
    return this.#entries.map(takeCallback).filter(Boolean);
  }

  #keep(chunk, encoding, callback) {
    if (!this.#kept) return { chunk: '', encoding, callback, ends: this.#ended };
    const size = typeof chunk === 'string' ? Buffer.byteLength(chunk, encoding) : chunk.byteLength;
    this.#bytes += size;
    // The caller may use a buffer again as soon as the first attempt has sent it.
    const kept = typeof chunk === 'string' ? chunk : Buffer.from(chunk);
    const entry = { chunk: kept, encoding, callback, ends: this.#ended };
    this.#entries.push(entry);
    return entry;
  }

  #trim() {
    if (this.#bytes > KEPT_AT_MOST) this.forget();
  }
}

/** @typedef {{ chunk: string | Buffer, encoding?: string, callback?: Function, ends: boolean }} Entry */

/** Each is called once, whatever the number of attempts. */
function takeCallback(entry) {
  const { callback } = entry;
  entry.callback = undefined;
  return callback;
}

module.exports = { BodyLog, takeCallback };

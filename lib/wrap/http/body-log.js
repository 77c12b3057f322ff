'use strict';

/**
 * What the caller has written so far, so that another attempt can send the same.
 *
 * Kept are the calls, not only the bytes: whether the first of them was `end(chunk)` decides between
 * Content-Length and chunks, and the chunks of the second attempt are then those of the first.
 */

/** Bytes. What is longer is not repeated: as for the stream bodies of this package's `fetch`. */
const KEPT_AT_MOST = 1024 * 1024;

/**
 * @typedef {{ callback: Function | undefined }} Waiting one who is to be told when the chunk has left
 * @typedef {{ chunk: string | Buffer, encoding?: BufferEncoding, waiting?: Waiting, ends: boolean }} Entry
 */

class BodyLog {
  /** @type {Entry[]} */
  #entries = [];
  #bytes = 0;
  #keeps;
  #overflowed = false;
  #headersFlushed = false;
  #ended = false;
  /** @type {Waiting | undefined} */
  #waitingForEnd;

  /** @param {boolean} keeps whether there may be another attempt at all */
  constructor(keeps) {
    this.#keeps = keeps;
  }

  /** Whether what is written is kept. */
  get keeps() {
    return this.#keeps;
  }

  /** Whether it was too much to be kept. */
  get overflowed() {
    return this.#overflowed;
  }

  /**
   * @param {string | Uint8Array} chunk
   * @param {BufferEncoding} [encoding]
   * @param {Waiting} [waiting]
   */
  write(chunk, encoding, waiting) {
    this.writeForLater(chunk, encoding, waiting);
    this.#trim();
  }

  /** Where there is no attempt that could take the chunk: then it is kept whatever its size. */
  writeForLater(chunk, encoding, waiting) {
    if (this.#keeps) this.#keep({ chunk, encoding, waiting, ends: false });
  }

  /**
   * @param {string | Uint8Array} [chunk]
   * @param {BufferEncoding} [encoding]
   * @param {Waiting} [waiting] for all of the body
   */
  end(chunk, encoding, waiting) {
    this.endForLater(chunk, encoding, waiting);
    this.#trim();
  }

  endForLater(chunk, encoding, waiting) {
    this.#ended = true;
    this.#waitingForEnd = waiting;
    if (chunk && this.#keeps) this.#keep({ chunk, encoding, ends: true });
  }

  flushHeaders() {
    if (this.#entries.length === 0) this.#headersFlushed = true;
  }

  /**
   * Gives a new attempt all that was written.
   *
   * @param {import('node:http').ClientRequest} request
   * @param {(waiting: Waiting, error?: Error) => void} onWritten
   * @returns {boolean} whether it takes more at once
   */
  replay(request, onWritten) {
    if (this.#headersFlushed) request.flushHeaders();
    const told = (waiting) => waiting && ((error) => onWritten(waiting, error));
    let takesMore = true;
    for (const { chunk, encoding, waiting, ends } of this.#entries) {
      if (ends) request.end(chunk, encoding, told(this.#waitingForEnd));
      else takesMore = request.write(chunk, encoding, told(waiting));
    }
    if (this.#ended && !this.#entries.at(-1)?.ends) request.end(undefined, undefined, told(this.#waitingForEnd));
    this.#trim();
    return takesMore;
  }

  /** Nothing will be sent again. */
  forget() {
    this.#keeps = false;
    this.#entries = [];
  }

  /** Those who have not been told yet. @returns {Waiting[]} */
  waiting() {
    return [...this.#entries.map(({ waiting }) => waiting), this.#waitingForEnd].filter(Boolean);
  }

  #keep(entry) {
    const { chunk, encoding } = entry;
    const isText = typeof chunk === 'string';
    this.#bytes += isText ? Buffer.byteLength(chunk, encoding) : chunk.byteLength;
    // The caller may use a buffer again as soon as the first attempt has sent it.
    this.#entries.push(isText ? entry : { ...entry, chunk: Buffer.from(chunk) });
  }

  #trim() {
    if (this.#bytes <= KEPT_AT_MOST) return;
    this.#overflowed = true;
    this.forget();
  }
}

module.exports = { BodyLog };

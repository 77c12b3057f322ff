'use strict';

/**
 * What `onConnect` gets: one new connection, before anything that was queued may leave. What it writes goes straight
 * through, what comes is its to read. What it does not read is the stream's when the connection is up; of a connection that
 * does not come up nothing is. With the connection it ends.
 */

const { checkNumber, invalidType, invalidValue } = require('../validate');
const { sessionBusyError, sessionOverError } = require('./errors');

class Session {
  #send;
  #taken;
  #chunks = [];
  #length = 0;
  /** The first so many of these bytes are told to be taken. */
  #told = 0;
  #reading;
  /** Makes the error that says why nothing can be done any more. */
  #ended;
  #controller = new AbortController();
  /** What comes is kept here, and not the stream's. */
  keeps = true;

  /**
   * @param {number} generation
   * @param {(bytes: Buffer) => boolean} send
   * @param {(bytes: number) => void} taken tells native code that so many bytes wait no more
   */
  constructor(generation, send, taken) {
    this.generation = generation;
    this.#send = send;
    this.#taken = taken;
  }

  /** Aborted when the connection is lost, with the fault as its reason. */
  get signal() {
    return this.#controller.signal;
  }

  /** Sends at once, past everything that is queued. */
  write(chunk, encoding) {
    if (this.#ended !== undefined) throw this.#ended();
    if (!this.#send(bytesOf(chunk, encoding))) throw sessionOverError();
  }

  /**
   * What has come, at least one byte, or just as many as are asked for.
   *
   * @param {number} [count]
   * @returns {Promise<Buffer>}
   */
  async read(count) {
    if (count !== undefined) checkNumber(count, 'count', { min: 1, integer: true });
    return this.#next(() => count ?? this.#length);
  }

  /**
   * What comes up to these bytes, and them.
   *
   * @param {string | Uint8Array} delimiter
   * @returns {Promise<Buffer>}
   */
  async readUntil(delimiter) {
    const wanted = bytesOf(delimiter);
    if (wanted.length === 0) throw invalidValue('delimiter', 'at least one byte', delimiter);
    return this.#next(() => {
      const at = this.#joined().indexOf(wanted);
      return at === -1 ? 0 : at + wanted.length;
    });
  }

  /** Bytes have come. */
  feed(chunk) {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    this.#look();
  }

  /** `onConnect` has returned. */
  finish(why = sessionOverError) {
    this.#ended ??= why;
    this.#reading?.reject(this.#ended());
    this.#reading = undefined;
  }

  /** The connection is up: what nobody has read, and how much of it is told to be taken. */
  release() {
    const rest = { bytes: this.#joined(), told: this.#told };
    this.keeps = false;
    this.#chunks = [];
    this.#length = this.#told = 0;
    return rest;
  }

  /** The connection is lost. */
  lose(error) {
    this.finish(() => error);
    this.#controller.abort(error);
    this.#tell(this.#length);
    this.release();
  }

  /** `wants`: how many bytes, as far as is known now; 0 if it is not. */
  #next(wants) {
    if (this.#ended !== undefined) return Promise.reject(this.#ended());
    if (this.#reading !== undefined) return Promise.reject(sessionBusyError());
    return new Promise((resolve, reject) => {
      this.#reading = { wants, resolve, reject };
      this.#look();
    });
  }

  #look() {
    if (this.#reading === undefined) return;
    const { wants, resolve } = this.#reading;
    const length = wants();
    if (length === 0 || length > this.#length) {
      // More is wanted than natively is read without it.
      this.#tell(this.#length);
      return;
    }
    const all = this.#joined();
    this.#chunks = length < all.length ? [all.subarray(length)] : [];
    this.#tell(length);
    this.#told -= length;
    this.#length -= length;
    this.#reading = undefined;
    resolve(all.subarray(0, length));
  }

  /** The first so many bytes wait no more. */
  #tell(length) {
    if (length <= this.#told) return;
    this.#taken(length - this.#told);
    this.#told = length;
  }

  #joined() {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }
}

function bytesOf(value, encoding) {
  if (typeof value === 'string') return Buffer.from(value, encoding);
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  throw invalidType('chunk', 'a string, a Buffer or a Uint8Array', value);
}

module.exports = { Session };

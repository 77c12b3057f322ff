'use strict';

/**
 * What `onConnect` gets: one new connection, before anything that was queued may leave. What it writes goes straight
 * through, what comes is its to read. With the connection it ends.
 */

const { invalidType } = require('../validate');

class Session {
  #send;
  #taken;
  #chunks = [];
  #length = 0;
  #reading;
  #ended;
  #controller = new AbortController();

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
    if (this.#ended !== undefined) throw this.#ended;
    if (!this.#send(bytesOf(chunk, encoding))) throw overError();
  }

  /**
   * What has come, at least one byte, or just as many as are asked for.
   *
   * @param {number} [count]
   * @returns {Promise<Buffer>}
   */
  read(count) {
    return this.#next(() => count ?? this.#length);
  }

  /**
   * What comes up to these bytes, and them.
   *
   * @param {string | Uint8Array} delimiter
   * @returns {Promise<Buffer>}
   */
  readUntil(delimiter) {
    const wanted = bytesOf(delimiter);
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

  /** It is over. What nobody has read is the stream's. */
  finish() {
    this.#ended ??= overError();
    const rest = this.#joined();
    this.#chunks = [];
    this.#length = 0;
    this.#reading?.reject(this.#ended);
    this.#reading = undefined;
    return rest;
  }

  /** The connection is lost. */
  lose(error) {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    this.#controller.abort(error);
    const rest = this.finish();
    if (rest.length > 0) this.#taken(rest.length);
  }

  /** `wants`: how many bytes, as far as is known now; 0 if it is not. */
  #next(wants) {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    if (this.#reading !== undefined) return Promise.reject(new Error('One read of a session at a time.'));
    return new Promise((resolve, reject) => {
      this.#reading = { wants, resolve, reject };
      this.#look();
    });
  }

  #look() {
    if (this.#reading === undefined) return;
    const { wants, resolve } = this.#reading;
    const length = wants();
    if (length === 0 || length > this.#length) return;
    const all = this.#joined();
    this.#chunks = length < all.length ? [all.subarray(length)] : [];
    this.#length -= length;
    this.#reading = undefined;
    this.#taken(length);
    resolve(all.subarray(0, length));
  }

  #joined() {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }
}

function overError() {
  return Object.assign(new Error('The session is over: onConnect has returned.'), { code: 'ERR_SOCKET_SESSION_OVER' });
}

function bytesOf(value, encoding) {
  if (typeof value === 'string') return Buffer.from(value, encoding);
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  throw invalidType('chunk', 'a string, a Buffer or a Uint8Array', value);
}

module.exports = { Session };

'use strict';

/** `download(url)`: a file over HTTP as a Readable that goes on where it breaks. */

const { ByteStream } = require('./byte-stream');
const { parseDownload } = require('./options');
const { Transfer } = require('./transfer');

class Download extends ByteStream {
  #transfer;
  #decompress;
  /** Resolves when the head is there. */
  #opened;
  #response;

  /** @param {ReturnType<typeof parseDownload>} options */
  constructor({ url, call, highWaterMark, decompress }) {
    super({ highWaterMark, ownsPieces: true });
    this.#decompress = decompress;
    // Held weakly: native code keeps the call, and a stream that nobody has any more must be collected with it.
    const weak = new WeakRef(this);
    const onResume = (event) => weak.deref()?.#goesOn(event);
    this.#transfer = new Transfer(url, call, { readAhead: highWaterMark, decompress, onResume });
    this.#opened = this.#open();
    this._watch(call.signal);
  }

  /** The response, as soon as its head is there. Its body is this stream. */
  get response() {
    return this.#response;
  }

  /** What it took so far; in full when the stream has ended. */
  get recovery() {
    return this.#transfer.recovery;
  }

  #goesOn(event) {
    this._inScope(() => this.emit('resume', event));
  }

  async #open() {
    let failure;
    try {
      await this.#transfer.open();
    } catch (error) {
      failure = { error };
    }
    try {
      this.#answered(this.#transfer.response);
    } catch (error) {
      // By a listener.
      failure = { error };
    }
    if (failure !== undefined) this.#fail(failure.error);
    return failure === undefined;
  }

  #answered(response) {
    if (response === undefined || this.destroyed) return;
    this.#response = response;
    if (response.ok) this.total = this.#lengthOf(response);
    this.emit('response', response);
  }

  /** Of the stream, in bytes: of an encoded body that is decoded nobody says it. */
  #lengthOf({ headers }) {
    const length = headers.get('content-length');
    return length === null || (this.#decompress && headers.has('content-encoding')) ? null : Number(length);
  }

  async _next() {
    // After it has failed nothing is read any more.
    if (!(await this.#opened)) return;
    try {
      const { bytes, done } = await this.#transfer.read();
      if (this.destroyed) return;
      if (bytes !== undefined) this._give(bytes);
      if (done && !this.destroyed) this.push(null);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error) {
    if (this.destroyed) return;
    // The reason of a signal may end a thousand calls: nothing is put on it.
    if (error?.recovery !== undefined) error.offset = this.bytes;
    this.destroy(error);
  }

  _destroy(error, callback) {
    this.#transfer.end(error ?? undefined);
    super._destroy(error, callback);
  }
}

/**
 * @param {string | URL} url
 * @param {import('../..').DownloadOptions} [options]
 * @returns {import('../..').Download}
 * @throws {TypeError | RangeError} which name the option and what is accepted
 */
function download(url, options) {
  return new Download(parseDownload(url, options));
}

module.exports = { download };

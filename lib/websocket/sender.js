'use strict';

/**
 * What `send` takes, made into messages: the forms of data, the options of `ws`, parts of a message that are sent one by one,
 * and the order where a Blob has to be read first.
 */

const { isBlob } = require('../fetch/brands');
const { checkFunction, checkOptions, invalidArgument } = require('../validate');
const { closedError } = require('./errors');
const { Line } = require('./line');
const { BINARY, PLAIN } = require('./outgoing');
const { Told, toldTogether } = require('./told');

const NO_OPTIONS = Object.freeze({});
const OPTIONS = ['binary', 'compress', 'fin', 'mask'];

class Sender {
  #outgoing;
  #onUnheard;
  #line = new Line();
  /** Of a message that is sent with `fin: false`: `{ flags, pieces, waiting }`. */
  #parts;
  #isEnded = false;
  /** What was sent when it was over: the standard counts it. */
  #bytesAfterEnd = 0;

  /**
   * @param {import('./outgoing').Outgoing} outgoing
   * @param {(lost: { messages: number, bytes: number, error: Error }) => void} onUnheard
   */
  constructor(outgoing, onUnheard) {
    this.#outgoing = outgoing;
    this.#onUnheard = onUnheard;
  }

  /** Bytes of messages that the system has not taken. */
  get bytes() {
    const parts = this.#parts === undefined ? 0 : this.#parts.pieces.reduce((sum, part) => sum + sizeOf(part), 0);
    return this.#outgoing.bytes + this.#line.bytes + parts + this.#bytesAfterEnd;
  }

  /**
   * @param {unknown} data
   * @param {object | null | undefined} options
   * @param {((error?: Error) => void) | null | undefined} callback
   */
  send(data, options, callback) {
    const told = callback === undefined || callback === null ? undefined : new Told(checkFunction(callback, 'callback'));
    const { binary, compress = true, fin = true, mask = true } = options ? checkOptions(options, 'options', OPTIONS) : NO_OPTIONS;
    if (!mask) throw invalidArgument('options.mask must be true: what a client sends is masked (RFC 6455, section 5.3).');
    const body = isBlob(data) ? data : bodyOf(data);
    const flags = (binary ?? typeof body !== 'string' ? BINARY : 0) | (compress ? 0 : PLAIN);
    if (this.#isEnded) this.#sendAfterEnd(body, told);
    else if (!fin || this.#parts !== undefined) this.#sendPart(body, flags, fin, told);
    else this.#sendWhole(body, flags, told);
  }

  /** Does it when everything that was sent has been handed over. @param {import('./line').Step} step */
  inOrder(step) {
    if (this.#line.isBusy) this.#line.add(step);
    else step.run();
  }

  /** Resolves when no Blob is being read. */
  async handedOver() {
    await new Promise((resolve) => {
      this.inOrder({ run: resolve, drop: resolve });
    });
  }

  /** No more is taken. What was, still goes. */
  end() {
    this.#isEnded = true;
    const parts = this.#parts;
    this.#parts = undefined;
    if (parts !== undefined) this.#notSent(parts.pieces.reduce((sum, part) => sum + sizeOf(part), 0), toldTogether(parts.waiting), closedError());
  }

  /** Nothing goes any more. */
  clear() {
    this.end();
    this.#line.clear();
  }

  #sendWhole(body, flags, told) {
    if (isBlob(body)) this.#sendBlob(body, flags, told);
    else if (this.#line.isBusy) this.#sendInLine(Buffer.from(body), flags, told);
    else this.#handOver(body, flags, told);
  }

  #handOver(body, flags, told) {
    if (typeof body !== 'string') this.#outgoing.binary(body, flags, told);
    else if (flags & BINARY) this.#outgoing.binary(Buffer.from(body), flags, told);
    else this.#outgoing.text(body, flags, told);
  }

  #sendInLine(bytes, flags, told) {
    this.#line.add({
      bytes: bytes.length,
      run: () => this.#handOver(bytes, flags, told),
      drop: () => this.#notSent(bytes.length, told, closedError()),
    });
  }

  #sendBlob(blob, flags, told) {
    this.#line.add({
      bytes: blob.size,
      read: () => blob.arrayBuffer().then((bytes) => ({ bytes: new Uint8Array(bytes) }), (cause) => ({ error: unreadableError(cause) })),
      run: ({ bytes, error }) => {
        if (error === undefined) this.#handOver(bytes, flags, told);
        else this.#notSent(blob.size, told, error);
      },
      drop: () => this.#notSent(blob.size, told, closedError()),
    });
  }

  /** Kept until the last part is there: to the peer it is one message either way, and how it is framed is decided natively. */
  #sendPart(body, flags, isLast, told) {
    const parts = (this.#parts ??= { flags, pieces: [], waiting: [] });
    parts.pieces.push(isBlob(body) ? body : Buffer.from(body));
    if (told !== undefined) parts.waiting.push(told);
    if (!isLast) return;
    this.#parts = undefined;
    const whole = parts.pieces.some(isBlob) ? new Blob(parts.pieces) : Buffer.concat(parts.pieces);
    this.#sendWhole(whole, parts.flags, toldTogether(parts.waiting));
  }

  #sendAfterEnd(body, told) {
    const bytes = sizeOf(body);
    this.#bytesAfterEnd += bytes;
    this.#notSent(bytes, told, closedError());
  }

  #notSent(bytes, told, error) {
    if (told !== undefined) told.tell(error);
    else process.nextTick(this.#onUnheard, { messages: 1, bytes, error });
  }
}

/** As the standard converts what it is given: bytes are bytes, and everything else is text. */
function bodyOf(data) {
  if (typeof data === 'string') return data;
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  // By its tag, as it may come from another realm.
  const tag = Object.prototype.toString.call(data);
  if (tag === '[object ArrayBuffer]' || tag === '[object SharedArrayBuffer]') return new Uint8Array(data);
  return `${data}`;
}

function sizeOf(body) {
  return typeof body === 'string' ? Buffer.byteLength(body) : (body.size ?? body.length);
}

function unreadableError(cause) {
  return Object.assign(new Error('The Blob could not be read.', { cause }), { code: 'ERR_WEBSOCKET_BLOB_UNREADABLE', delivery: 'not-sent' });
}

module.exports = { Sender, bodyOf };

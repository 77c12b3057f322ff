'use strict';

/**
 * Messages on their way to native code, and who waits to be told what became of each.
 *
 * A crossing for every message would cost more than the message. So what is sent in one turn of the event loop is gathered in one piece
 * of memory, text as the UTF-8 that it will be on the wire, and handed over when the turn ends, or when the piece is full,
 * or when something else is to be done that has its place in the order. Large messages cross by themselves.
 */

const { closedError, deliveryError, queueFullError } = require('./errors');

/** Flags of a message, as `src/node/websocket.rs` reads them. */
const BINARY = 1;
const AWAITED = 2;
const PLAIN = 4;

/** What it answers. */
const FULL = 2;

/** Bytes. Text of so many characters has three times as many bytes at most, which fit with room to spare. */
const PIECE = 64 * 1024;
const LARGE = 16 * 1024;
const MESSAGES = 1024;

/** One piece for all WebSockets; it belongs to whoever sent last, until that is handed over. */
let piece;
const lengths = new Uint32Array(MESSAGES);
const flagsOf = new Uint8Array(MESSAGES);
const callbacks = new Array(MESSAGES);
let used = 0;
let count = 0;
/** @type {Outgoing | undefined} */
let owner;
let isScheduled = false;

function handOver() {
  isScheduled = false;
  owner?.flush();
}

class Outgoing {
  #native;
  #onUnheard;
  #awaited = new Awaited();
  /** Of the message that native code took last: it numbers them in the same way. */
  #sequence = 0;

  /**
   * @param {import('../native').NativeWebSocket} native
   * @param {(lost: { messages: number, bytes: number, error: Error }) => void} onUnheard told of messages that did not go and
   *   that nobody waits for
   */
  constructor(native, onUnheard) {
    this.#native = native;
    this.#onUnheard = onUnheard;
  }

  /** Bytes of messages that the system has not taken. */
  get bytes() {
    return this.#native.bufferedAmount() + (owner === this ? used : 0);
  }

  /**
   * @param {string} text
   * @param {number} flags
   * @param {((error?: Error) => void) | undefined} callback
   */
  text(text, flags, callback) {
    if (text.length > LARGE) {
      this.flush();
      const all = callback === undefined ? flags : flags | AWAITED;
      this.#given(this.#native.sendText(text, all), callback, () => Buffer.byteLength(text));
      return;
    }
    this.#makeRoom(3 * text.length);
    this.#gathered(piece.utf8Write(text, used), flags, callback);
  }

  /**
   * @param {Uint8Array} bytes copied before this returns
   * @param {number} flags
   * @param {((error?: Error) => void) | undefined} callback
   */
  binary(bytes, flags, callback) {
    if (bytes.length > LARGE) {
      this.flush();
      const all = callback === undefined ? flags : flags | AWAITED;
      this.#given(this.#native.sendBinary(bytes, all), callback, () => bytes.length);
      return;
    }
    this.#makeRoom(bytes.length);
    piece.set(bytes, used);
    this.#gathered(bytes.length, flags, callback);
  }

  /** Hands over what was gathered. To be called before anything else is asked of native code that has a place in the order. */
  flush() {
    if (owner !== this) return;
    owner = undefined;
    let from = 0;
    for (let next = 0; next < count;) {
      const outcome = next === 0
        ? this.#native.sendBatch(piece, lengths, flagsOf, count)
        : this.#native.sendBatch(piece.subarray(from), lengths.subarray(next), flagsOf.subarray(next), count - next);
      for (const end = next + (outcome >>> 2); next < end; next++) {
        from += lengths[next];
        this.#took(callbacks[next]);
      }
      if (next === count) break;
      // Refused. What comes behind it may be smaller.
      this.#refused(outcome & 3, callbacks[next], lengths[next]);
      from += lengths[next++];
    }
    callbacks.fill(undefined, 0, count);
    used = 0;
    count = 0;
  }

  /** All up to this one that are not settled are written. */
  onWritten(sequence) {
    this.#awaited.settle(0, sequence, (callback) => callback());
  }

  /** These are not. */
  onFates(fates) {
    for (const { from, to, bytes, ...fate } of fates) {
      const error = deliveryError(fate);
      const heard = this.#awaited.settle(from, to, (callback) => callback(error));
      const messages = to - from + 1 - heard;
      // There is an event of its own for one that was set aside.
      if (messages > 0 && fate.why !== 'oversized') this.#onUnheard({ messages, bytes, error });
    }
  }

  /** No word of any of them will come any more. */
  onOver() {
    this.flush();
    this.#awaited.settle(0, Infinity, (callback) => callback(deliveryError({ outcome: 'unknown', why: 'closed' })));
  }

  #makeRoom(bytes) {
    if (owner !== this) {
      owner?.flush();
      owner = this;
      piece ??= Buffer.allocUnsafeSlow(PIECE);
      if (!isScheduled) {
        isScheduled = true;
        process.nextTick(handOver);
      }
    } else if (used + bytes > PIECE || count === MESSAGES) {
      this.flush();
      owner = this;
    }
  }

  #gathered(length, flags, callback) {
    lengths[count] = length;
    flagsOf[count] = callback === undefined ? flags : flags | AWAITED;
    callbacks[count] = callback;
    used += length;
    count += 1;
  }

  #given(status, callback, size) {
    if (status < FULL) this.#took(callback);
    else this.#refused(status, callback, size());
  }

  #took(callback) {
    this.#sequence += 1;
    if (callback !== undefined) this.#awaited.add(this.#sequence, callback);
  }

  /** Not told at once: whoever is told may send, and that must not happen within `send`, or while a piece is handed over. */
  #refused(status, callback, bytes) {
    const error = status === FULL ? queueFullError() : closedError();
    if (callback !== undefined) process.nextTick(callback, error);
    else process.nextTick(this.#onUnheard, { messages: 1, bytes, error });
  }
}

/** Callbacks by the numbers of their messages, which only grow. */
class Awaited {
  #entries = [];
  #first = 0;

  add(sequence, callback) {
    this.#entries.push({ sequence, callback });
  }

  /**
   * Calls those of the messages `from` to `to`, each in a turn of its own: one that throws must not keep the others from being
   * called.
   *
   * @returns {number} how many
   */
  settle(from, to, call) {
    const entries = this.#entries;
    let settled = 0;
    // Nearly always from the first on.
    while (this.#first < entries.length && isWithin(entries[this.#first])) {
      process.nextTick(call, entries[this.#first].callback);
      entries[this.#first++] = undefined;
      settled += 1;
    }
    if (this.#first > 64 && this.#first * 2 > entries.length) {
      entries.splice(0, this.#first);
      this.#first = 0;
    }
    for (let at = this.#first; at < this.#entries.length && this.#entries[at].sequence <= to; at++) {
      if (!isWithin(this.#entries[at])) continue;
      process.nextTick(call, this.#entries[at].callback);
      this.#entries.splice(at--, 1);
      settled += 1;
    }
    return settled;

    function isWithin({ sequence }) {
      return sequence >= from && sequence <= to;
    }
  }
}

module.exports = { Outgoing, BINARY, PLAIN };

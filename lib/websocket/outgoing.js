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
/** Who waits for each, if anybody does. */
const waiting = new Array(MESSAGES);
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
   * @param {import('./told').Told | undefined} told
   */
  text(text, flags, told) {
    if (text.length > LARGE) {
      this.flush();
      const all = told === undefined ? flags : flags | AWAITED;
      this.#given(this.#native.sendText(text, all), told, () => Buffer.byteLength(text));
      return;
    }
    this.#makeRoom(3 * text.length);
    this.#gathered(piece.utf8Write(text, used), flags, told);
  }

  /**
   * @param {Uint8Array} bytes copied before this returns
   * @param {number} flags
   * @param {import('./told').Told | undefined} told
   */
  binary(bytes, flags, told) {
    if (bytes.length > LARGE) {
      this.flush();
      const all = told === undefined ? flags : flags | AWAITED;
      this.#given(this.#native.sendBinary(bytes, all), told, () => bytes.length);
      return;
    }
    this.#makeRoom(bytes.length);
    piece.set(bytes, used);
    this.#gathered(bytes.length, flags, told);
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
        this.#took(waiting[next]);
      }
      if (next === count) break;
      // Refused. What comes behind it may be smaller.
      this.#refused(outcome & 3, waiting[next], lengths[next]);
      from += lengths[next++];
    }
    waiting.fill(undefined, 0, count);
    used = 0;
    count = 0;
  }

  /** All up to this one that are not settled are written. */
  onWritten(sequence) {
    this.#awaited.settle(0, sequence);
  }

  /** These are not. */
  onFates(fates) {
    for (const { from, to, bytes, ...fate } of fates) {
      const error = deliveryError(fate);
      // Of the messages in one range somebody waits for each, or for none.
      const isHeard = this.#awaited.settle(from, to, error) > 0;
      // There is an event of its own for one that was set aside.
      if (!isHeard && fate.why !== 'oversized') this.#onUnheard({ messages: to - from + 1, bytes, error });
    }
  }

  /** No word of any of them will come any more. */
  onOver() {
    this.flush();
    this.#awaited.settle(0, Infinity, deliveryError({ outcome: 'unknown', why: 'closed' }));
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

  #gathered(length, flags, told) {
    lengths[count] = length;
    flagsOf[count] = told === undefined ? flags : flags | AWAITED;
    waiting[count] = told;
    used += length;
    count += 1;
  }

  #given(status, told, size) {
    if (status < FULL) this.#took(told);
    else this.#refused(status, told, size());
  }

  #took(told) {
    this.#sequence += 1;
    if (told !== undefined) this.#awaited.add(this.#sequence, told);
  }

  #refused(status, told, bytes) {
    const error = status === FULL ? queueFullError() : closedError();
    if (told !== undefined) told.tell(error);
    // Not at once: a listener may send, and that must not happen within `send`, or while a piece is handed over.
    else process.nextTick(this.#onUnheard, { messages: 1, bytes, error });
  }
}

/** Who waits, by the numbers of the messages, which only grow. */
class Awaited {
  #entries = [];
  #first = 0;

  add(sequence, told) {
    this.#entries.push({ sequence, told });
  }

  /**
   * Tells those who wait for the messages `from` to `to`.
   *
   * @returns {number} how many
   */
  settle(from, to, error) {
    const entries = this.#entries;
    let settled = 0;
    // Nearly always from the first on.
    for (; this.#first < entries.length && isWithin(entries[this.#first]); settled++) {
      entries[this.#first].told.tell(error);
      entries[this.#first++] = undefined;
    }
    if (this.#first > 64 && this.#first * 2 > entries.length) {
      entries.splice(0, this.#first);
      this.#first = 0;
    }
    for (let at = this.#first; at < entries.length && entries[at].sequence <= to; at++) {
      if (!isWithin(entries[at])) continue;
      entries[at].told.tell(error);
      entries.splice(at--, 1);
      settled += 1;
    }
    return settled;

    function isWithin({ sequence }) {
      return sequence >= from && sequence <= to;
    }
  }
}

module.exports = { Outgoing, BINARY, PLAIN };

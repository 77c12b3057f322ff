'use strict';

/**
 * What is written, on its way from the stream to native code: it waits until there is somewhere to go, and where the queue
 * is full until there is room; what becomes of each write is told to its callback.
 *
 * The stream itself hears of no failure, for it would end with the first one.
 */

const { destroyedError, unsentError } = require('./errors');
const { Writes } = require('./writes');

/** What `src/node/socket.rs` answers to a write. */
const FULL = 1;
const REFUSED = 2;

class Outlet {
  /** Of `src/node/socket.rs`; `undefined` before `connect`. */
  #native;
  #writes = new Writes();
  /** Goes on with what waits for room, or for there to be a connection at all. */
  #blocked;
  /** The callback of the end. */
  #final;
  #isClosed = false;

  /** A write is made; its callback hears what becomes of it. */
  add(callback) {
    this.#writes.add(typeof callback === 'function' ? callback : undefined);
  }

  /** The stream has refused the write that was made last. */
  takeBack() {
    this.#writes.takeBack();
  }

  /** There is somewhere to go. */
  open(native) {
    this.#native = native;
    this.goOn();
  }

  /** As `stream.Writable._write`. */
  write(chunk, done) {
    if (this.#native === undefined) {
      this.#blocked = () => this.write(chunk, done);
      return;
    }
    this.#given(1, this.#native.write(chunk, this.#writes.areAwaited(1)), done);
  }

  /** As `stream.Writable._writev`. */
  writeAll(chunks, done) {
    if (this.#native === undefined) {
      this.#blocked = () => this.writeAll(chunks, done);
      return;
    }
    const pieces = chunks.map(({ chunk }) => chunk);
    const lengths = Uint32Array.from(pieces, ({ length }) => length);
    const outcome = this.#native.writeAll(Buffer.concat(pieces), lengths, this.#writes.areAwaited(pieces.length));
    const count = outcome >>> 2;
    // It stops where the queue is full.
    const isDone = () => this.#isClosed || count === chunks.length;
    this.#given(count, outcome & 3, () => (isDone() ? done() : this.writeAll(chunks.slice(count), done)));
  }

  /** As `stream.Writable._final`. */
  end(done) {
    if (this.#native === undefined) {
      this.#blocked = () => this.end(done);
      return;
    }
    this.#final = done;
    this.#native.end();
  }

  /** There is room again. */
  goOn() {
    const blocked = this.#blocked;
    this.#blocked = undefined;
    blocked?.();
  }

  /** So many of the oldest writes were sent. */
  sent(count) {
    this.#writes.settle(count, null);
  }

  /** So many of the oldest were not. Returns how many of them nobody waited for. */
  unsent(count, error) {
    return this.#writes.settle(count, error);
  }

  /** The end has left. */
  finished() {
    const final = this.#final;
    this.#final = undefined;
    final?.();
  }

  /**
   * Nothing leaves any more.
   *
   * @param {boolean} wasConnected some of what native code took may have left
   * @param {Error | null} cause
   */
  close(wasConnected, cause) {
    this.#isClosed = true;
    this.#blocked = undefined;
    this.#writes.settleAll(destroyedError(wasConnected ? 'unknown' : 'not-sent', cause), destroyedError('not-sent', cause));
  }

  /** The first so many were given to native code; `goOn` is for when there may be more. */
  #given(count, outcome, goOn) {
    this.#writes.give(count);
    if (outcome === FULL) {
      this.#blocked = goOn;
      return;
    }
    if (outcome === REFUSED) this.#writes.refused(unsentError('full'));
    // Not at once: what else is written in this turn then crosses together.
    process.nextTick(goOn);
  }
}

module.exports = { Outlet };

'use strict';

/**
 * A stream that can be read once, read once for each attempt.
 *
 * A client that sends what is left of a stream on its second attempt sends a truncated or an empty body, and the server
 * believes it. So what an attempt reads is kept, up to a bound, and the next one gets it again before it goes on with the
 * stream. `src/http/replay.rs` does the same for our own fetch.
 */

/** How much of a stream is kept, in bytes: as our own fetch keeps. */
const KEPT_AT_MOST = 1024 * 1024;

/** @typedef {{ read(): Promise<{ done: boolean, value?: unknown }>, cancel(reason?: unknown): unknown }} Reader */

class Tape {
  /** @type {() => Reader | Promise<Reader>} */
  #open;
  /** @type {Promise<Reader> | undefined} opened by the first who asks for a piece */
  #opened;
  #keep;
  /** Pieces as the stream gave them, bytes or strings. */
  #kept = [];
  #keptBytes = 0;
  /** Pieces were handed out that are not kept. */
  #incomplete = false;
  #ended = false;
  /** @type {{ error: unknown } | undefined} */
  #failure;
  /** The one that may read. @type {Reading | undefined} */
  #current;
  /** The piece that is on its way. @type {Promise<{ done: boolean, value?: unknown }> | undefined} */
  #pending;
  /** Nobody will read it from the beginning any more. */
  #released = false;
  /** Until it is known whether there is another attempt. @type {{ promise: Promise<void>, resolve: () => void } | undefined} */
  #suspended;

  /**
   * @param {() => Reader | Promise<Reader>} open
   * @param {boolean} keep whether there may be another reading
   */
  constructor(open, keep) {
    this.#open = open;
    this.#keep = keep;
  }

  /** Whether another reading would have all of it. */
  get isWhole() {
    return !this.#incomplete && this.#failure === undefined;
  }

  /** Whether the stream itself failed. */
  get hasFailed() {
    return this.#failure !== undefined;
  }

  /** A reading from the beginning. The one before it, if it still goes on, gets no more. */
  begin() {
    this.#current = new Reading(this);
    this.#resume();
    return this.#current;
  }

  /**
   * The attempt that reads may be given up: it waits, because what it read now could make it impossible to begin anew, after
   * that was decided. Ends with {@link Tape#begin}, {@link Tape#release} or {@link Tape#cancel}.
   */
  suspend() {
    this.#suspended ??= deferred();
  }

  /** There will be no other reading: nothing more is kept. */
  release() {
    this.#released = true;
    this.#keep = false;
    this.#resume();
  }

  /** Nobody reads on: the stream can close its files. */
  async cancel(reason) {
    this.release();
    this.#current = undefined;
    this.#kept = [];
    if (this.#ended || this.#failure !== undefined) return;
    this.#ended = true;
    // One that nobody has asked for anything is opened to be told: it may hold a file as well.
    const reader = await this.#reader();
    await reader.cancel(reason);
  }

  /**
   * @param {Reading} reading
   * @param {number} index of the piece
   * @returns {Promise<{ done: boolean, value?: unknown }>}
   */
  async piece(reading, index) {
    await this.#turnOf(reading);
    if (index < this.#kept.length) return { done: false, value: this.#kept[index] };
    if (!this.#ended && this.#failure === undefined) {
      // A reading that was given up may have asked for this piece already.
      this.#pending ??= this.#readOn();
      const step = await this.#pending;
      await this.#turnOf(reading);
      if (step !== undefined) return step;
    }
    if (this.#failure !== undefined) throw this.#failure.error;
    return { done: true };
  }

  async #turnOf(reading) {
    while (this.#suspended !== undefined && this.#current === reading) await this.#suspended.promise;
    if (this.#current !== reading) throw new SupersededError();
  }

  #resume() {
    this.#suspended?.resolve();
    this.#suspended = undefined;
  }

  /** A reading was cancelled by who read it. */
  dropped(reading, reason) {
    if (this.#current !== reading) return undefined;
    this.#current = undefined;
    return this.#released ? this.cancel(reason) : undefined;
  }

  /** @returns the next piece, or `undefined` at the end and where the stream fails */
  async #readOn() {
    try {
      const reader = await this.#reader();
      const { done, value } = await reader.read();
      if (!done) {
        this.#remember(value);
        return { done, value };
      }
      this.#ended = true;
    } catch (error) {
      this.#failure = { error };
    } finally {
      this.#pending = undefined;
    }
    return undefined;
  }

  #reader() {
    this.#opened ??= Promise.resolve(this.#open());
    return this.#opened;
  }

  #remember(value) {
    this.#keptBytes += sizeOf(value);
    const isNobodys = this.#current === undefined || this.#suspended !== undefined;
    // What arrives between two attempts waits for the next one, whatever its size.
    if (!this.#incomplete && (isNobodys || (this.#keep && this.#keptBytes <= KEPT_AT_MOST))) {
      this.#kept.push(value);
      return;
    }
    this.#keep = false;
    this.#incomplete = true;
    // What was kept is of no use without the rest.
    this.#kept = [];
  }
}

/** One attempt's reading. */
class Reading {
  #tape;
  #next = 0;

  /** @param {Tape} tape */
  constructor(tape) {
    this.#tape = tape;
  }

  async read() {
    const step = await this.#tape.piece(this, this.#next);
    this.#next += 1;
    return step;
  }

  cancel(reason) {
    return this.#tape.dropped(this, reason);
  }
}

/** To fail, and not to end, keeps a request that was given up from looking complete. */
class SupersededError extends Error {
  constructor() {
    super('this attempt was given up, and a later one sends the body');
  }
}

function deferred() {
  let resolve;
  const promise = new Promise((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

function sizeOf(value) {
  if (typeof value === 'string') return Buffer.byteLength(value);
  // What is neither is for the client to refuse.
  return value?.byteLength ?? 0;
}

module.exports = { Tape, SupersededError, KEPT_AT_MOST };

'use strict';

/**
 * Request bodies that can be read only once.
 *
 * A stream is spent by the attempt that sends it: sent again it is empty, or the request waits for ever. So a call that
 * may be repeated sends a stand-in, which reads from the caller's stream by way of a {@link Tape}. A further attempt gets
 * another stand-in, from the beginning. Past the bound of the tape the call is committed to the attempt that runs.
 */

const { Tape } = require('../tape');
const { standInKindOf } = require('./stand-ins');

/** An interceptor may make a call anew with the stream that the first one has read. @type {WeakMap<object, Tape>} */
const tapes = new WeakMap();

/**
 * @typedef {object} Upload
 * @property {boolean} replays whether another attempt could send all of it
 * @property {boolean} hasFailed whether the caller's own stream failed
 * @property {() => unknown} begin what the next attempt sends in place of the caller's, or a promise of it; `undefined`: the
 *   caller's
 * @property {() => void} suspend the attempt may be given up: what still reads for it waits
 * @property {(failed: boolean) => void} end the call is over
 *
 * @param {unknown} data as axios's transforms have left it
 * @param {boolean} mayRepeat whether the policy has any further attempt
 * @returns {Upload | undefined} `undefined`: the same for every attempt, as text, bytes, a Blob or a web FormData are
 */
function uploadOf(data, mayRepeat) {
  if (typeof data === 'function') return new Opened(data);
  const kind = standInKindOf(data);
  if (kind === undefined) return undefined;
  return mayRepeat ? new Kept(kind, data, tapeOf(kind, data)) : new Once();
}

function tapeOf(kind, source) {
  const tape = tapes.get(source) ?? new Tape(kind.reader(source), true);
  tapes.set(source, tape);
  return tape;
}

/** A stream in a call that has one attempt. */
class Once {
  replays = false;
  hasFailed = false;

  begin() {}

  suspend() {}

  end() {}
}

/** A stream behind its stand-ins. */
class Kept {
  #kind;
  #source;
  #tape;

  constructor(kind, source, tape) {
    this.#kind = kind;
    this.#source = source;
    this.#tape = tape;
  }

  get replays() {
    return this.#tape.isWhole;
  }

  get hasFailed() {
    return this.#tape.hasFailed;
  }

  begin() {
    return this.#kind.make(this.#tape.begin(), this.#kind.facts?.(this.#source));
  }

  suspend() {
    this.#tape.suspend();
  }

  end(failed) {
    if (failed) this.#tape.cancel();
    else this.#tape.release();
  }
}

/** A function, called for each attempt: what it opens may be of any length. */
class Opened {
  replays = true;
  #open;
  #opened;
  #hasThrown = false;
  #isOver = false;

  constructor(open) {
    this.#open = open;
  }

  get hasFailed() {
    return this.#hasThrown || (this.#opened?.hasFailed ?? false);
  }

  async begin() {
    this.#opened?.end(true);
    this.#opened = undefined;
    let data;
    try {
      data = await this.#open();
    } catch (error) {
      this.#hasThrown = true;
      throw error;
    }
    const kind = standInKindOf(data);
    if (kind === undefined) return data;
    // Read through us all the same: otherwise nobody could tell whether the network failed or this.
    this.#opened = new Kept(kind, data, new Tape(kind.reader(data), false));
    // The call was ended while it opened: nobody is there to read it.
    if (this.#isOver) this.end(true);
    return this.#opened.begin();
  }

  suspend() {
    this.#opened?.suspend();
  }

  end(failed) {
    this.#isOver = true;
    this.#opened?.end(failed);
  }
}

module.exports = { uploadOf };

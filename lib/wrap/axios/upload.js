'use strict';

/**
 * Request bodies that can be read only once.
 *
 * A stream is spent by the attempt that sends it: sent again it is empty, or the request waits for ever. So a call that
 * may be repeated sends a stand-in, which reads from the caller's stream and keeps what it has read, up to 1 MiB. A
 * further attempt gets another stand-in, from the beginning. Past the bound nothing more is kept: the call is committed
 * to the attempt that runs.
 */

const { KeptStream } = require('./kept-stream');
const { formStandIn, nodeStandIn, webStandIn } = require('./stand-ins');

/**
 * @typedef {object} Upload
 * @property {boolean} replays whether another attempt could send all of it
 * @property {boolean} [hasFailed] whether the caller's own stream failed
 * @property {() => unknown} begin what the next attempt sends in place of the caller's; `undefined`: the caller's
 * @property {(failed: boolean) => void} end the call is over
 *
 * @param {unknown} data as axios's transforms have left it
 * @param {boolean} mayRepeat whether the policy has any further attempt
 * @returns {Upload | undefined} `undefined`: the same for every attempt, as text, bytes, a Blob or a web FormData are, and
 *   whatever only the caller's own adapter knows
 */
function uploadOf(data, mayRepeat) {
  if (typeof data === 'function') return new Opened(data);
  if (typeof data !== 'object' || data === null) return undefined;
  const standIn = standInFor(data);
  if (standIn !== undefined) return mayRepeat ? new Kept(data, standIn) : new Once();
  return typeof data[Symbol.asyncIterator] === 'function' ? new Once() : undefined;
}

/** @returns {((kept: KeptStream, source: object) => object) | undefined} what makes a stand-in for a stream */
function standInFor(data) {
  if (typeof data.pipe === 'function') return typeof data.getHeaders === 'function' ? formStandIn : nodeStandIn;
  return typeof data.getReader === 'function' ? webStandIn : undefined;
}

/** A stream in a call that has one attempt, or an iterable that the caller's own adapter reads. */
class Once {
  replays = false;

  begin() {}

  end() {}
}

/** A function, called for each attempt: what it opens may be of any length. */
class Opened {
  replays = true;
  #open;

  constructor(open) {
    this.#open = open;
  }

  begin() {
    return this.#open();
  }

  /** What was opened is axios's to read and to leave, like any stream it is given. */
  end() {}
}

/** A stream behind its stand-ins. */
class Kept {
  #source;
  #standInOf;
  #kept;
  #standIn;

  constructor(source, standInOf) {
    this.#source = source;
    this.#standInOf = standInOf;
    this.#kept = KeptStream.of(source);
  }

  get replays() {
    return this.#kept.isWhole;
  }

  get hasFailed() {
    return this.#kept.hasFailed;
  }

  begin() {
    this.#standIn?.destroy?.();
    this.#standIn = this.#standInOf(this.#kept.reader(), this.#source);
    return this.#standIn;
  }

  end(failed) {
    if (failed) this.#standIn?.destroy?.();
    this.#kept.release(failed);
  }
}

module.exports = { uploadOf };

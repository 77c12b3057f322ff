'use strict';

/**
 * The request body of a call that may be made more than once.
 *
 * Most bodies can be given to the client again as they are: strings, bytes, URLSearchParams, Blob, FormData. A stream
 * cannot, nor can the body of a `Request`, which is a stream whatever it was made from. For these each attempt gets a
 * stream of its own, of the same kind as the caller's, so that the client treats it in the same way.
 */

const { extractRequestBody } = require('../../fetch/request-body');
const { isRequest, isStream } = require('../../fetch/brands');
const { isDisturbed } = require('../../fetch/disturbed');
const { bytesOf } = require('../../fetch/upload');
const { Tape } = require('./tape');
const { FORM, NODE, WEB, isNodeStream, kindOf } = require('./streams');

/**
 * @param {import('./request').ReadRequest} request
 * @param {boolean} keeps whether the call may be repeated at all
 * @returns {SentBody | undefined} `undefined`: input and init can be given to the client again as they are
 */
function bodyOf({ input, init }, keeps) {
  const body = init?.body ?? undefined;
  const inInit = (stream) => [input, { ...init, body: stream }];
  if (typeof body === 'function') return new MadeBody(body, (made) => [input, { duplex: 'half', ...init, body: made }]);
  if (!keeps) return undefined;
  if (body !== undefined) return ofStream(body, inInit);
  return isRequest(input) ? ofRequest(input, init) : undefined;
}

function ofStream(body, send) {
  const kind = kindOf(body);
  if (kind === undefined) return undefined;
  // The client says what is wrong with it.
  if (isUnusable(body)) return new SpentBody(() => send(body));
  return new StreamBody(kind, body, send);
}

function ofRequest(request, init) {
  const { body } = request;
  const isWeb = isStream(body);
  // Of node-fetch 2 it may be bytes, or a Blob, which are no worse for being sent.
  if (request.bodyUsed || (!isWeb && !isNodeStream(body))) return undefined;
  if (isWeb) {
    return isUnusable(body) ? undefined : new RequestBody(WEB, body, (replaced) => [requestLike(request, replaced), init]);
  }
  // A Request of node-fetch cannot be used twice: what it was cloned from blocks it. `init` comes before it.
  const inInit = (replaced) => [request, { ...init, body: replaced }];
  return kindOf(body) === FORM ? new StreamBody(FORM, body, inInit) : new RequestBody(NODE, body, inInit);
}

/** For clients, and mocks, that look at the Request alone. */
function requestLike(request, body) {
  const { referrer, referrerPolicy } = request;
  return new request.constructor(request, { body, duplex: 'half', referrer, referrerPolicy });
}

function isUnusable(body) {
  return isStream(body) && (body.locked || isDisturbed(body));
}

/**
 * How a body is sent: `open` gives `[input, init]` for the next attempt, or a promise of it; `isWhole` says whether another
 * attempt would send the same, and `hasFailed` whether the caller's own source of it failed.
 */
class SentBody {
  get isWhole() {
    return true;
  }

  get hasFailed() {
    return false;
  }

  /** The attempt may be given up: what still reads for it waits. */
  suspend() {}

  /** The call is answered: there will be no other attempt. */
  release() {}

  /** The call has failed: the caller's stream learns that nobody reads on. */
  cancel() {}
}

/** One that is spent before it is sent, or that we cannot look into. */
class SpentBody extends SentBody {
  constructor(open) {
    super();
    this.open = open;
  }

  get isWhole() {
    return false;
  }
}

/** A stream of the caller's. */
class StreamBody extends SentBody {
  #kind;
  #facts;
  #send;
  #tape;

  constructor(kind, source, send, keep = true) {
    super();
    this.#kind = kind;
    this.#facts = kind.facts?.(source);
    this.#send = send;
    this.#tape = new Tape(kind.reader(source), keep);
  }

  get isWhole() {
    return this.#tape.isWhole;
  }

  get hasFailed() {
    return this.#tape.hasFailed;
  }

  open() {
    return this.#send(this.#kind.make(this.#tape.begin(), this.#facts));
  }

  suspend() {
    this.#tape.suspend();
  }

  release() {
    this.#tape.release();
  }

  cancel(reason) {
    // What the source says to being cancelled concerns nobody: the call has failed with something else.
    this.#tape.cancel(reason).catch(() => {});
  }
}

/**
 * The body of a `Request`. It is read for as long as it has something ready: what was in memory becomes bytes again, and
 * keeps its Content-Length, as it would if the client had got the Request itself.
 */
class RequestBody extends SentBody {
  #kind;
  #source;
  #send;
  /** Once it has been looked at. @type {StreamBody | { bytes: Uint8Array } | undefined} */
  #found;

  constructor(kind, source, send) {
    super();
    this.#kind = kind;
    this.#source = kind === NODE ? bytesReadableLike(source) : source;
    this.#send = send;
  }

  get isWhole() {
    return this.#found?.isWhole ?? true;
  }

  get hasFailed() {
    return this.#found?.hasFailed ?? false;
  }

  async open() {
    if (this.#found === undefined) {
      const { bytes, open } = await extractRequestBody(this.#source);
      this.#found = bytes === undefined ? this.#streamOf(open()) : { bytes };
    }
    return this.#found.bytes === undefined ? this.#found.open() : this.#send(this.#found.bytes);
  }

  suspend() {
    this.#found?.suspend?.();
  }

  release() {
    this.#found?.release?.();
  }

  cancel(reason) {
    this.#found?.cancel?.(reason);
  }

  /** What was read ahead comes as a web stream; the attempts' are of the kind that the Request had. */
  #streamOf(stream) {
    return new StreamBody({ reader: WEB.reader, make: this.#kind.make }, stream, this.#send);
  }
}

/** What a function makes, for each attempt anew. */
class MadeBody extends SentBody {
  #make;
  #send;
  #made;
  #hasThrown = false;

  constructor(make, send) {
    super();
    this.#make = make;
    this.#send = send;
  }

  get hasFailed() {
    return this.#hasThrown || (this.#made?.hasFailed ?? false);
  }

  async open() {
    this.#made?.cancel();
    this.#made = undefined;
    let body;
    try {
      body = await this.#make();
    } catch (error) {
      this.#hasThrown = true;
      throw error;
    }
    const kind = isUnusable(body) ? undefined : kindOf(body);
    if (kind === undefined) return this.#send(body);
    // Read through us all the same: otherwise nobody could tell whether the network failed or this.
    this.#made = new StreamBody(kind, body, this.#send, false);
    return this.#made.open();
  }

  release() {
    this.#made?.release();
  }

  cancel(reason) {
    this.#made?.cancel(reason);
  }
}

/** As much of a web stream as it takes to read a Node stream ahead. */
function bytesReadableLike(stream) {
  const open = NODE.reader(stream);
  return {
    getReader() {
      const reader = open();
      const read = async () => {
        const { done, value } = await reader.read();
        return done ? { done } : { done, value: bytesOf(value) };
      };
      return { read, cancel: reader.cancel };
    },
  };
}

module.exports = { bodyOf };

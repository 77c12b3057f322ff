'use strict';

/** A stream of the caller's and what has been read of it, for several readers one after the other. */

const { PassThrough } = require('node:stream');

/** Bytes. The native client keeps as much of a stream. */
const MOST_KEPT = 1024 * 1024;

/** An interceptor may make a call anew with the stream that the first one has read. @type {WeakMap<object, KeptStream>} */
const keptStreams = new WeakMap();

class KeptStream {
  #source;
  #size = 0;
  /** What has been read, from the chunk with number `#first` on. @type {(Uint8Array | string)[]} */
  #chunks = [];
  #first = 0;
  /** The read that is under way, for whoever waits for it. @type {Promise<void> | undefined} */
  #reading;
  #ended = false;
  #failed = false;
  #failure;
  #latest;
  #released = false;

  /** @param {object} source a `Readable`, an older stream of Node, or a `ReadableStream`; not read before a reader does */
  static of(source) {
    const kept = keptStreams.get(source) ?? new KeptStream(source);
    keptStreams.set(source, kept);
    return kept;
  }

  constructor(source) {
    this.#source = typeof source.getReader === 'function' ? new WebSource(source) : new NodeSource(source);
  }

  /** Whether another reader would get everything. */
  get isWhole() {
    return this.#size <= MOST_KEPT && !this.#failed;
  }

  /** Whether the source itself failed. */
  get hasFailed() {
    return this.#failed;
  }

  /**
   * From the beginning. One that was there before must not be read any longer.
   *
   * @returns {{ read(): Promise<Uint8Array | string | null>, leave(): void }} `read` gives null at the end, and rejects with
   *   what the source failed with; `leave`: nobody will read on
   */
  reader() {
    let at = 0;
    const reader = {
      read: () => this.#chunk(at++),
      leave: () => {
        if (this.#latest === reader) this.#latest = undefined;
        if (this.#released) this.#leaveSource();
      },
    };
    this.#latest = reader;
    this.#released = false;
    return reader;
  }

  /**
   * No further reader will come. The source is left when the last one leaves, which it may do before the end: a server can
   * answer while it still reads.
   *
   * @param {boolean} now
   */
  release(now) {
    this.#released = true;
    if (now || this.#latest === undefined) this.#leaveSource();
  }

  async #chunk(at) {
    if (!this.isWhole) this.#forgetBefore(at);
    for (;;) {
      if (at < this.#first) throw spent();
      if (at < this.#first + this.#chunks.length) return this.#chunks[at - this.#first];
      if (this.#failed) throw this.#failure;
      if (this.#ended) return null;
      this.#reading ??= this.#readOn();
      await this.#reading;
    }
  }

  async #readOn() {
    try {
      const { done, value } = await this.#source.next();
      if (done) {
        this.#ended = true;
      } else {
        this.#chunks.push(value);
        this.#size += typeof value === 'string' ? Buffer.byteLength(value) : value.byteLength;
      }
    } catch (error) {
      this.#failed = true;
      this.#failure = error;
    } finally {
      this.#reading = undefined;
    }
  }

  /** Past the bound there is only the latest reader, and what it has read is not needed any more. */
  #forgetBefore(at) {
    const passed = at - this.#first;
    if (passed <= 0) return;
    this.#chunks.splice(0, passed);
    this.#first = at;
  }

  #leaveSource() {
    if (!this.#ended && !this.#failed) this.#source.leave();
  }
}

class NodeSource {
  #stream;
  #iterator;

  constructor(stream) {
    this.#stream = stream;
    // It may fail before anybody reads, while a connection is waited for: that is told when somebody does.
    stream.on('error', () => {});
  }

  async next() {
    if (this.#iterator === undefined) {
      // Iterated, it would simply end, and the body would be empty.
      if (this.#stream.readableEnded) throw spent();
      this.#iterator = iterable(this.#stream)[Symbol.asyncIterator]();
    }
    return this.#iterator.next();
  }

  /** Not by the iterator's `return`, which waits for the next chunk. */
  leave() {
    this.#stream.destroy?.();
  }
}

function spent() {
  const error = new Error('The request body is a stream that has been read already.');
  return Object.assign(error, { code: 'ERR_BODY_SOURCE_FAILED' });
}

/** The package form-data, and others as old, only know how to be piped. */
function iterable(stream) {
  if (typeof stream[Symbol.asyncIterator] === 'function') return stream;
  const through = new PassThrough();
  stream.on('error', (error) => through.destroy(error));
  return stream.pipe(through);
}

class WebSource {
  #stream;
  #reader;

  constructor(stream) {
    this.#stream = stream;
  }

  next() {
    this.#reader ??= this.#stream.getReader();
    return this.#reader.read();
  }

  leave() {
    // What the source says to that concerns nobody: the call is over.
    (this.#reader ?? this.#stream).cancel().catch(() => {});
  }
}

module.exports = { KeptStream };

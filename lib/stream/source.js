'use strict';

/** What `open` may return to `resumable`, read in one way: a stream of either kind or an async iterable, with or without words. */

const { isAsyncIterable, isStream } = require('../fetch/brands');
const { invalidType } = require('../validate');
const { NODE, WEB, isNodeStream } = require('../wrap/streams');

class Source {
  #reading;

  constructor(reading, { offset, validator, length } = {}) {
    this.#reading = reading;
    /** Of its first byte, where that is not the one that was asked for. */
    this.offset = offset;
    this.validator = validator;
    /** Of the whole, in bytes. */
    this.length = length;
  }

  /** @returns {Promise<Uint8Array | undefined>} `undefined`: the end */
  async read() {
    for (;;) {
      const { done, value } = await (await this.#reading).read();
      if (done) return undefined;
      const bytes = bytesOf(value);
      if (bytes.byteLength > 0) return bytes;
    }
  }

  /** What it says to that concerns nobody. */
  cancel(reason) {
    Promise.resolve(this.#reading).then((reading) => reading.cancel(reason)).catch(() => {});
  }
}

/**
 * @param {unknown} opened
 * @returns {Source}
 * @throws {TypeError} for what is no source
 */
function openSource(opened) {
  const isBare = isNodeStream(opened) || isStream(opened) || isAsyncIterable(opened);
  const { stream, offset, validator, length } = isBare ? { stream: opened } : (opened ?? {});
  checkCount(offset, 'offset');
  checkCount(length, 'length');
  const words = { offset, validator, length };
  if (isNodeStream(stream)) return new Source(NODE.reader(stream)(), words);
  if (isStream(stream) || isAsyncIterable(stream)) return new Source(WEB.reader(stream)(), words);
  throw invalidType('open', 'a function that returns a stream, an async iterable, or an object with one as its `stream`', opened);
}

function checkCount(value, name) {
  if (value === undefined || (Number.isSafeInteger(value) && value >= 0)) return;
  throw invalidType(`${name} that open returned`, 'a number of bytes', value);
}

function bytesOf(value) {
  if (typeof value === 'string') return Buffer.from(value);
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  throw invalidType('what the source brings', 'bytes or strings', value);
}

module.exports = { openSource };

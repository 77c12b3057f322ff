'use strict';

/**
 * `downloadTo(url, path)`: a file that is there whole or not at all. What has come of it survives the call and the process,
 * and is gone on with only where the server proves that it is still the same file.
 */

const { isNativeError } = require('node:util/types');
const { unlessAborted } = require('../abort');
const { FaultError } = require('../errors');
const { faultOfCode } = require('../fault/of-code');
const { codingsOf, decodeTo } = require('./decoding');
const { digestsOf, Hashes } = require('./digests');
const faults = require('./faults');
const { parseDownloadTo } = require('./options');
const { Partial, identityOf } = require('./partial');
const { Transfer } = require('./transfer');

/**
 * @param {string | URL} url
 * @param {string | URL} path
 * @param {import('../..').DownloadToOptions} [options]
 * @returns {Promise<import('../..').DownloadResult>}
 */
async function downloadTo(url, path, options) {
  const parsed = parseDownloadTo(url, path, options);
  parsed.call.signal?.throwIfAborted();
  const partial = await Partial.open(parsed.path, parsed.id ?? identityOf(parsed.url));
  try {
    return await new Saving(parsed, partial).run();
  } finally {
    await partial.close();
  }
}

class Saving {
  #options;
  #partial;
  /** @type {Transfer} */
  #transfer;
  /** Of the bytes as they come. */
  #hashes;
  #restarted = false;

  constructor(options, partial) {
    this.#options = options;
    this.#partial = partial;
  }

  async run() {
    const continuedAt = await this.#receive();
    try {
      return await this.#finish(continuedAt);
    } catch (error) {
      if (OF_NO_USE.has(error?.code)) await this.#partial.discard();
      throw this.#told(error);
    }
  }

  /** @returns {Promise<number>} the offset that was gone on from */
  async #receive() {
    for (;;) {
      let offset;
      try {
        offset = await this.#begin();
        await this.#write();
        return offset;
      } catch (error) {
        this.#transfer?.end();
        // What came was more than it said: which of it is where it belongs nobody knows.
        if (offset !== undefined && error?.code === 'ERR_RESUME_RANGE') await this.#partial.discard();
        if (!this.#mayRestart(error)) throw this.#told(error);
      }
    }
  }

  /** Opens the transfer, behind what is there if that can be. That is kept until there is something in its place. */
  async #begin() {
    const { url, call, highWaterMark, onResume } = this.#options;
    const start = this.#restarted ? undefined : this.#partial.start;
    const asked = { readAhead: highWaterMark, decompress: false, start, onResume: (event) => onResume?.(event) };
    this.#transfer = new Transfer(url, call, asked);
    const response = await this.#transfer.open();
    if (!this.#transfer.continues) {
      // Nobody asked for a part.
      if (response.status === 206) throw new FaultError(faultOfCode('ERR_RESUME_RANGE'));
      if (!BRINGS_FILE.has(response.status)) throw faults.noFile(response);
      await this.#partial.restart(response);
    }
    const offset = this.#partial.length;
    await this.#beginHashes();
    await this.#tellProgress();
    return offset;
  }

  async #beginHashes() {
    const { digest } = this.#options;
    const ofCaller = digest === undefined || this.#codings !== undefined ? [] : [digest];
    this.#hashes = new Hashes([...digestsOf(this.#partial.headers), ...ofCaller]);
    if (!this.#hashes.isNeeded) return;
    for await (const piece of this.#partial.pieces()) {
      this.#options.call.signal?.throwIfAborted();
      this.#hashes.update(piece);
    }
  }

  async #write() {
    for (;;) {
      const { bytes, done } = await this.#transfer.read();
      if (bytes !== undefined) {
        await this.#partial.append(bytes);
        this.#hashes.update(bytes);
        await this.#tellProgress();
      }
      if (done) return;
    }
  }

  async #finish(continuedAt) {
    const partial = this.#partial;
    const { digest, path, call: { signal } } = this.#options;
    const onDisk = await partial.measured();
    if (onDisk !== partial.length) throw faults.wrongSize(partial.length, onDisk);
    const mismatch = this.#hashes.mismatch();
    if (mismatch !== undefined) throw faults.wrongDigest(mismatch);
    await partial.sync();
    let bytes = partial.length;
    const codings = this.#codings;
    if (codings === undefined) {
      signal?.throwIfAborted();
      await partial.finish();
    } else {
      const hashes = new Hashes(digest === undefined ? [] : [digest]);
      bytes = await decodeTo(partial, codings, partial.decoded, (piece) => hashes.update(piece), signal);
      const wrong = hashes.mismatch();
      if (wrong !== undefined) throw faults.wrongDigest(wrong);
      await partial.finish(partial.decoded);
    }
    return { path, bytes, continuedAt, response: this.#transfer.response, recovery: this.#transfer.recovery };
  }

  /** Those that are to be undone. */
  get #codings() {
    return this.#options.decompress ? codingsOf(this.#partial.headers) : undefined;
  }

  /**
   * The server has no parts of the file: what is there is lost with no harm. It has another version: only if that is wanted,
   * and once, since a file that is written to all the time would be begun for ever.
   */
  #mayRestart(error) {
    if (this.#partial.length === 0 || this.#restarted) return false;
    const isWithoutRanges = error?.code === 'ERR_RESUME_RANGE' && this.#transfer.response === undefined;
    this.#restarted = isWithoutRanges || (error?.code === 'ERR_RESUME_CHANGED' && this.#options.restartsWhenChanged);
    return this.#restarted;
  }

  /** The hook may be slow, or never come to its end: an abort does not wait for it. */
  async #tellProgress() {
    const { length, total } = this.#partial;
    const { onProgress, call: { signal } } = this.#options;
    const told = onProgress?.({ bytes: length, total });
    if (typeof told?.then === 'function') await unlessAborted(told, signal);
  }

  /** An error of the transfer or the disk says how far it has come, and where that is. What a hook threw may be frozen. */
  #told(error) {
    if (isNativeError(error) && Object.isExtensible(error) && error !== this.#options.call.signal?.reason) {
      error.recovery ??= this.#transfer?.recovery;
      error.offset = this.#partial.length;
      if (this.#partial.isKept) error.partial = this.#partial.path;
    }
    return error;
  }
}

/** Others of the successful ones come without the file: 204 has none, 202 tells of it. */
const BRINGS_FILE = new Set([200, 203]);

/** What is there cannot become the file, and would not with the next call either. */
const OF_NO_USE = new Set(['ERR_DIGEST_MISMATCH', 'ERR_DOWNLOAD_SIZE', 'Z_DATA_ERROR']);

module.exports = { downloadTo };

'use strict';

/**
 * Undoes the codings of a file that came encoded although it was asked for as it is, as object stores send what was stored
 * compressed. After all of it has come: ranges and the server's digests are of the encoded bytes.
 */

const fs = require('node:fs/promises');
const { constants } = require('node:fs');
const { pipeline } = require('node:stream/promises');
const zlib = require('node:zlib');
const { reasonOf } = require('../abort');
const faults = require('./faults');

/** Makes a decoder; `first` is the first byte that it will see, where that is known. */
const DECODERS = {
  gzip: () => zlib.createGunzip(),
  'x-gzip': () => zlib.createGunzip(),
  // zlib's form (RFC 9110, section 8.4.1.2), and from some servers the bare one: the first byte tells.
  deflate: (first) => (first !== undefined && (first & 0x0f) !== 8 ? zlib.createInflateRaw() : zlib.createInflate()),
  br: () => zlib.createBrotliDecompress(),
  // From Node 22.15 and 23.8 on.
  ...(zlib.createZstdDecompress && { zstd: () => zlib.createZstdDecompress() }),
};

/** Not through a link that somebody else has put there; Windows has no such flag. */
const OPEN = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | (constants.O_NOFOLLOW ?? 0);

/**
 * @param {[string, string][]} headers
 * @returns {string[] | undefined} the codings, the last one first; `undefined` where there are none, or one that is not
 *   known: then the file stays as it came
 */
function codingsOf(headers) {
  const written = headers.filter(([name]) => name === 'content-encoding').map(([, value]) => value).join();
  const named = written.toLowerCase().split(',').map((coding) => coding.trim());
  const codings = named.filter((coding) => coding !== '' && coding !== 'identity');
  if (codings.length === 0 || codings.some((coding) => !Object.hasOwn(DECODERS, coding))) return undefined;
  return codings.reverse();
}

/**
 * @param {import('./partial').Partial} partial
 * @param {string[]} codings
 * @param {string} path of the file that is made of it
 * @param {(bytes: Buffer) => void} onBytes
 * @param {AbortSignal | undefined} signal
 * @returns {Promise<number>} its length
 */
async function decodeTo(partial, codings, path, onBytes, signal) {
  const file = await fs.open(path, OPEN, 0o666);
  let length = 0;
  async function write(decoded) {
    for await (const bytes of decoded) {
      onBytes(bytes);
      for (let written = 0; written < bytes.byteLength;) {
        const { bytesWritten } = await file.write(bytes, written, bytes.byteLength - written, length);
        written += bytesWritten;
        length += bytesWritten;
      }
    }
  }
  try {
    const { value } = await partial.pieces().next();
    const first = value?.[0];
    // Nothing at all is no damaged body: a response without one may name a coding.
    const decoders = first === undefined ? [] : codings.map((coding, index) => DECODERS[coding](index === 0 ? first : undefined));
    await pipeline(copies(partial), ...decoders, write, { signal });
    await file.sync();
    await file.close();
    return length;
  } catch (error) {
    await file.close();
    await fs.rm(path, { force: true });
    if (signal?.aborted) throw reasonOf(signal);
    // Of the two that can fail, the disk names a system call.
    throw error.syscall === undefined ? faults.damaged(error) : faults.ofTheDisk(error, path);
  }
}

/** Decoders keep what they are given until they come to it. */
async function* copies(partial) {
  for await (const piece of partial.pieces()) yield Buffer.from(piece);
}

module.exports = { codingsOf, decodeTo };

'use strict';

/** A server of a file that is too large to be kept: no two places of it look alike, and it is made where it is asked for. */

const { createHash } = require('node:crypto');
const { once } = require('node:events');
const { startOrigin } = require('../../testing');

const MIB = 1024 * 1024;
/** Longer than a block by what the blocks are moved on against each other. */
const NOISE = noise(2 * MIB);

/** Bytes of the file from `offset` to the end of its block, or fewer. */
function piece(offset, size) {
  const block = Math.floor(offset / MIB);
  const shift = (block * 7919) % MIB;
  const first = offset - block * MIB;
  return NOISE.subarray(shift + first, shift + Math.min(MIB, size - block * MIB));
}

/**
 * @param {number} size bytes
 * @param {object} [options]
 * @param {string} [options.etag]
 * @returns {Promise<import('../../testing').Origin>} it sends at the pace at which it is read
 */
function serveLargeFile(size, { etag = '"large"' } = {}) {
  return startOrigin(async (request, response) => {
    const asked = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
    const first = asked === null ? 0 : Number(asked[1]);
    response.writeHead(asked === null ? 200 : 206, {
      'content-length': size - first,
      etag,
      ...(asked !== null && { 'content-range': `bytes ${first}-${size - 1}/${size}` }),
    });
    const closed = once(response, 'close');
    for (let offset = first; offset < size && !response.destroyed;) {
      const bytes = piece(offset, size);
      offset += bytes.length;
      if (!response.write(bytes)) await Promise.race([once(response, 'drain').catch(() => {}), closed]);
    }
    response.end();
  });
}

/** @returns {string} the SHA-256 of the file, base64 */
function digestOfLargeFile(size) {
  const hash = createHash('sha256');
  for (let offset = 0; offset < size; offset += MIB) hash.update(piece(offset, size));
  return hash.digest('base64');
}

function noise(length) {
  const words = new Uint32Array(length / 4);
  for (let index = 0, word = 0x2545f491; index < words.length; index += 1) {
    word ^= word << 13;
    word ^= word >>> 17;
    word ^= word << 5;
    words[index] = word;
  }
  return Buffer.from(words.buffer);
}

module.exports = { serveLargeFile, digestOfLargeFile, MIB };

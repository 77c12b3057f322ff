'use strict';

/**
 * Bodies that cannot be mistaken: every byte follows from the seed, the call and the version, so that a body which is
 * short, spliced of two versions or corrupt is told from a right one without asking the origin. The version is in the
 * first four bytes: whichever the client got, it must be that one to the end.
 */

const { createHash } = require('node:crypto');

const { draw } = require('./random');

/**
 * @param {number} seed
 * @param {string} id of the call
 * @param {number} version
 * @param {number} length bytes, a multiple of four
 * @returns {Buffer}
 */
function makeBody(seed, id, version, length) {
  const words = new Uint32Array(length / 4);
  // xorshift32, which must not start from 0.
  let state = Math.floor(draw(seed, 'body', id, version) * 0xffff_ffff) + 1;
  words[0] = version;
  for (let index = 1; index < words.length; index += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state;
  }
  return Buffer.from(words.buffer);
}

/**
 * @param {Uint8Array} bytes what a client gave to its caller
 * @param {number} seed
 * @param {{ id: string, length: number }} call
 * @returns {'right' | 'short' | 'long' | 'other'} `other`: of the right length, and not the body of any one version
 */
function checkBody(bytes, seed, { id, length }) {
  if (bytes.byteLength !== length) return bytes.byteLength < length ? 'short' : 'long';
  const version = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  return sha256(bytes) === sha256(makeBody(seed, id, version, length)) ? 'right' : 'other';
}

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

module.exports = { makeBody, checkBody };

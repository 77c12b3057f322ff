'use strict';

/**
 * The bodies that the server sends and the client expects: any stretch of them tells which body it is from and where it
 * stood there, so a body that is spliced, shifted or cut is not taken for the right one.
 */

const { createHash } = require('node:crypto');

const LONGEST = 512 * 1024;
/** Bodies begin at different places of the pattern. */
const STARTS = 4096;

const pattern = makePattern(LONGEST + STARTS);

/** @param {number} key which body @param {number} size in bytes, at most `LONGEST` */
function contents(key, size) {
  const start = key % STARTS;
  return pattern.subarray(start, start + size);
}

/** Bytes without a period, the same in every process. */
function makePattern(length) {
  const blocks = [];
  for (let block = 0; block * 64 < length; block++) blocks.push(createHash('sha512').update(String(block)).digest());
  return Buffer.concat(blocks).subarray(0, length);
}

module.exports = { contents };

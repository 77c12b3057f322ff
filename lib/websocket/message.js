'use strict';

/**
 * A message in the forms that it crosses in, made into those that listeners want. Native code sends what is cheap to make: text as
 * a string, short bytes as a string of one-byte characters, longer ones as a buffer.
 */

const { ASCII, BUFFER, STRING, TEXT } = require('../engine/completion');

/** What `binaryType` may be. The last one is that of `ws`: a message as the pieces that it came in, which is one here. */
const BINARY_TYPES = Object.freeze(['blob', 'arraybuffer', 'nodebuffer', 'fragments']);

/** Whether a message is text. */
function isText(flags) {
  return (flags & TEXT) !== 0;
}

/** @returns {string} of a text message */
function textOf(flags, value) {
  if (flags & BUFFER) return value.toString('utf8');
  if ((flags & (STRING | ASCII)) === STRING) return Buffer.from(value, 'latin1').toString('utf8');
  return value;
}

/** @returns {Buffer} of any message */
function bufferOf(flags, value) {
  if (flags & BUFFER) return value;
  return Buffer.from(value, flags & STRING ? 'latin1' : 'utf8');
}

/** A binary message in the form that is asked for. */
function binaryOf(flags, value, type) {
  switch (type) {
    case 'blob':
      return new Blob([bufferOf(flags, value)]);
    case 'arraybuffer':
      return arrayBufferOf(bufferOf(flags, value));
    case 'fragments':
      return [bufferOf(flags, value)];
    default:
      return bufferOf(flags, value);
  }
}

/** Its own memory where the buffer has that to itself, and a copy of a part of the memory that small buffers share. */
function arrayBufferOf({ buffer, byteOffset, byteLength }) {
  return byteLength === buffer.byteLength ? buffer : buffer.slice(byteOffset, byteOffset + byteLength);
}

module.exports = { BINARY_TYPES, isText, textOf, bufferOf, binaryOf };

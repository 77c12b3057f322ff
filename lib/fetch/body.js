'use strict';

/**
 * Request bodies as fetch takes them, turned into what crosses the boundary. The content types are the Fetch
 * standard's ("extract a body").
 */

const { isAnyArrayBuffer, isArrayBufferView, isSharedArrayBuffer } = require('node:util/types');
const { invalidArgument } = require('../validate');
const { isStream, isBlob, isFormData, isSearchParams, isAsyncIterable } = require('./brands');
const { isDisturbed } = require('./disturbed');

/**
 * @typedef {object} ExtractedBody
 * @property {string} [text] sent as UTF-8; replays
 * @property {Uint8Array} [bytes] replays
 * @property {() => unknown} [open] makes a stream, for each attempt anew if `reopens`
 * @property {boolean} [reopens]
 * @property {number} [length] of what `open` makes, in bytes, where it is known
 * @property {string} [type] the Content-Type, unless the caller set one
 * @property {boolean} [needsDuplex]
 */

/**
 * @param {unknown} body not null
 * @returns {ExtractedBody | Promise<ExtractedBody>}
 */
function extractBody(body) {
  if (typeof body === 'string') return { text: body, type: 'text/plain;charset=UTF-8' };
  if (typeof body === 'function') return { open: () => body(), reopens: true };
  if (isSearchParams(body)) {
    return { text: body.toString(), type: 'application/x-www-form-urlencoded;charset=UTF-8' };
  }
  if (isAnyArrayBuffer(body)) return { bytes: unshared(new Uint8Array(body)) };
  if (isArrayBufferView(body)) {
    return { bytes: unshared(new Uint8Array(body.buffer, body.byteOffset, body.byteLength)) };
  }
  if (isBlob(body)) return fromBlob(body);
  if (isFormData(body)) return fromFormData(body);
  if (isStream(body)) {
    if (body.locked || isDisturbed(body)) {
      throw invalidArgument('body: the stream is locked or has been read from; give one that is untouched');
    }
    return { open: once(body), needsDuplex: true };
  }
  if (isAsyncIterable(body)) return { open: once(body), needsDuplex: true };
  return { text: String(body), type: 'text/plain;charset=UTF-8' };
}

/** Native code must not read memory that another thread may be writing. */
function unshared(bytes) {
  return isSharedArrayBuffer(bytes.buffer) ? bytes.slice() : bytes;
}

/** A Blob may be a file of any size: it is read while it is sent, again for each attempt. */
function fromBlob(blob) {
  return { open: () => blob.stream(), reopens: true, length: blob.size, type: blob.type || undefined };
}

/** Written out once, so that every attempt sends the same boundary and the same bytes. */
async function fromFormData(form) {
  const written = new Response(ownFormData(form));
  const type = written.headers.get('content-type');
  return { ...fromBlob(await written.blob()), type };
}

/** The built-in Response only takes a FormData of its own kind. */
function ownFormData(form) {
  if (form instanceof FormData) return form;
  if (typeof form[Symbol.iterator] !== 'function') {
    throw invalidArgument('body: this FormData cannot be read (the npm package form-data?); use the global FormData of Node');
  }
  const own = new FormData();
  for (const [name, value] of form) own.append(name, value);
  return own;
}

/** A stream can be opened once; native code keeps what a further attempt needs of it. */
function once(stream) {
  return () => stream;
}

module.exports = { extractBody };

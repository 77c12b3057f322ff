'use strict';

/**
 * What is measured. A case is one kind of call and how many of it are under way at a time; every peer that has
 * the operation runs it. `check` looks at every single answer, warm-up included, so a client cannot win by
 * being wrong. It is the same work for all.
 *
 * @typedef {object} Case
 * @property {string} title what the table is headed with
 * @property {'json' | 'bytes' | 'post' | 'drain'} operation the method of the peers that makes the call
 * @property {string} path on the server
 * @property {number} inFlight calls under way at a time; each that ends is followed by the next at once
 * @property {(answer: any) => boolean} check
 */

const JSON_BODY = { name: 'Ada Lovelace', email: 'ada@example.com', roles: ['admin', 'author'] };
const LARGE_LENGTH = 64 * 1024;
const STREAM_LENGTH = 64 * 1024 * 1024;
/** The server's bytes count from 0 to 250, over and over. */
const PERIOD = 251;

const isUser = (answer) => answer.id === 7 && answer.roles.length === 2;
const isEcho = (answer) => answer.name === JSON_BODY.name && answer.roles.length === 2;

function isLarge(answer) {
  if (answer.byteLength !== LARGE_LENGTH) return false;
  const bytes = ArrayBuffer.isView(answer) ? answer : new Uint8Array(answer);
  return bytes[LARGE_LENGTH - 1] === (LARGE_LENGTH - 1) % PERIOD;
}

/** @type {Record<string, Case>} */
const cases = {
  'json-1': { title: 'small JSON, one at a time', operation: 'json', path: '/json', inFlight: 1, check: isUser },
  'json-50': { title: 'small JSON, 50 in flight', operation: 'json', path: '/json', inFlight: 50, check: isUser },
  'json-500': { title: 'small JSON, 500 in flight', operation: 'json', path: '/json', inFlight: 500, check: isUser },
  '64k-50': {
    title: '64 KiB after 1 ms, 50 in flight',
    operation: 'bytes',
    path: '/64k',
    inFlight: 50,
    check: isLarge,
  },
  'post-50': {
    title: 'small JSON posted, 50 in flight',
    operation: 'post',
    path: '/echo',
    inFlight: 50,
    check: isEcho,
  },
  'stream-1': {
    title: '64 MiB streamed, one at a time',
    operation: 'drain',
    path: '/stream',
    inFlight: 1,
    check: (length) => length === STREAM_LENGTH,
  },
};

module.exports = { cases, JSON_BODY };

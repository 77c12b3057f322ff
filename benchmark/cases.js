'use strict';

/**
 * What is measured. A case is one kind of call and how many of it are under way at a time; every peer that has
 * the operation runs it. `check` looks at every single answer, warm-up included, so a client cannot win by
 * being wrong. It is the same work for all, and little: before the warm-up, as many answers as are in flight are
 * compared in full (`digest`).
 *
 * @typedef {object} Case
 * @property {string} title what the table is headed with
 * @property {'json' | 'inflated' | 'bytes' | 'post' | 'drain'} operation the method of the peers that makes the call
 * @property {string} path on the server
 * @property {boolean} [tls] over TLS; the client trusts the server's certificate by NODE_EXTRA_CA_CERTS
 * @property {number} inFlight calls under way at a time; each that ends is followed by the next at once
 * @property {(answer: any) => boolean} check
 * @property {string} [digest] SHA-256 of the answer: of its bytes, or of the JSON it was parsed from
 */

const JSON_BODY = { name: 'Ada Lovelace', email: 'ada@example.com', roles: ['admin', 'author'] };
const LARGE_LENGTH = 64 * 1024;
const STREAM_LENGTH = 64 * 1024 * 1024;
/** The server's bytes count from 0 to 250, over and over. */
const PERIOD = 251;
/** Users in the list that the server compresses. */
const USERS = 439;

/** SHA-256, as the server's own answers have it. */
const DIGESTS = {
  user: '521d655d8e3ace3071281731430298f05872f4cca1f80dc13af0d6785ed5c7eb',
  users: 'a39b3d23e13b5a11e4f230eda6eda411e1b293ae95e963862b4cb0f104e880be',
  large: '4b640d85ab3ba30fd02c9fc9db4a8928f416322ad27022ea58a65aaee68a4df2',
};

const isUser = (answer) => answer.id === 7 && answer.roles.length === 2;
const isUserList = (answer) => answer.length === USERS && answer[USERS - 1].id === USERS;
const isEcho = (answer) => answer.name === JSON_BODY.name && answer.roles.length === 2;

function isLarge(answer) {
  if (answer.byteLength !== LARGE_LENGTH) return false;
  const bytes = ArrayBuffer.isView(answer) ? answer : new Uint8Array(answer);
  return bytes[LARGE_LENGTH - 1] === (LARGE_LENGTH - 1) % PERIOD;
}

const smallJson = { operation: 'json', path: '/json', check: isUser, digest: DIGESTS.user };

/** @type {Record<string, Case>} */
const cases = {
  'json-1': { ...smallJson, title: 'small JSON, one at a time', inFlight: 1 },
  'json-50': { ...smallJson, title: 'small JSON, 50 in flight', inFlight: 50 },
  'json-500': { ...smallJson, title: 'small JSON, 500 in flight', inFlight: 500 },
  '64k-50': {
    title: '64 KiB after 1 ms, 50 in flight',
    operation: 'bytes',
    path: '/64k',
    inFlight: 50,
    check: isLarge,
    digest: DIGESTS.large,
  },
  'gzip-50': {
    title: '64 KiB of JSON as 10 KiB gzip, 50 in flight',
    operation: 'inflated',
    path: '/gzip',
    inFlight: 50,
    check: isUserList,
    digest: DIGESTS.users,
  },
  'post-50': {
    title: 'small JSON posted, 50 in flight',
    operation: 'post',
    path: '/echo',
    inFlight: 50,
    check: isEcho,
  },
  'tls-50': {
    ...smallJson,
    title: 'small JSON over TLS, 50 in flight',
    tls: true,
    inFlight: 50,
  },
  'tls-fresh-10': {
    ...smallJson,
    title: 'small JSON, a TLS connection for each, 10 in flight',
    path: '/last',
    tls: true,
    inFlight: 10,
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

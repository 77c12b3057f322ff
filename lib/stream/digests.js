'use strict';

/**
 * Digests of what came: those that the server sent along, and the one that the caller asks for.
 *
 * What each is of, under a `Content-Encoding` (RFC 9530, sections 2 and 3, and appendix A; RFC 3230; RFC 1864): those of
 * the server are of the encoded bytes. `Repr-Digest` and `Digest` are of all of them, whatever part a response brings;
 * `Content-Digest` and `Content-MD5` of what that one response brings, so they count only where it was the whole, a 200.
 * The caller's is of the file that comes of it, as in Subresource Integrity.
 */

const { createHash, getHashes } = require('node:crypto');
const { invalidType, invalidValue } = require('../validate');

/**
 * @typedef {object} Expected
 * @property {string} algorithm as `node:crypto` calls it
 * @property {Buffer[]} digests one of them must be it
 * @property {string} source who asks for it, for messages
 */

/** The names of RFC 9530 and of the registry before it, strongest first. Others, checksums for one, are passed over. */
const ALGORITHMS = new Map([
  ['sha-512', 'sha512'],
  ['sha-256', 'sha256'],
  ['sha', 'sha1'],
  ['md5', 'md5'],
]);

/** Bytes of a digest. What is longer or shorter is none, as where a server writes hexadecimal digits. */
const LENGTHS = { md5: 16, sha1: 20, sha256: 32, sha384: 48, sha512: 64 };

/** Weakest first: of several digests only the strongest count (W3C SRI, section 3.3.4). */
const OF_INTEGRITY = ['sha256', 'sha384', 'sha512'];

/**
 * @param {unknown} value digests such as `sha256-...`, separated by spaces
 * @param {string} name
 * @returns {Expected}
 * @throws {TypeError} also where none can be understood: what is asked for is not to be passed over
 */
function parseDigest(value, name) {
  if (typeof value !== 'string') throw invalidType(name, 'a string', value);
  const written = value.trim().split(/\s+/);
  const found = written.map((text) => /^(sha256|sha384|sha512)-([A-Za-z0-9+/_-]+={0,2})$/.exec(text));
  if (found.includes(null)) throw invalidValue(name, "digests of the form 'sha256-...', sha384 or sha512, in base64", value);
  const algorithm = OF_INTEGRITY[Math.max(...found.map(([, each]) => OF_INTEGRITY.indexOf(each)))];
  const digests = found.filter(([, each]) => each === algorithm).map(([, , digest]) => Buffer.from(digest, 'base64'));
  if (!digests.every(isDigestOf(algorithm))) throw invalidValue(name, `${LENGTHS[algorithm]} bytes long for ${algorithm}`, value);
  return { algorithm, digests, source: name };
}

/**
 * What a whole response says of its encoded bytes.
 *
 * @param {[string, string][]} headers
 * @returns {Expected[]}
 */
function digestsOf(headers) {
  const expected = [];
  for (const [name, value] of headers) {
    if (name === 'content-md5') expected.push({ algorithm: 'md5', digests: [Buffer.from(value, 'base64')], source: 'Content-MD5' });
    else if (name === 'digest') expected.push(...listed(value, /^\s*([\w-]+)=([A-Za-z0-9+/]+={0,2})\s*$/, 'Digest'));
    else if (name === 'repr-digest') expected.push(...listed(value, FIELD, 'Repr-Digest'));
    else if (name === 'content-digest') expected.push(...listed(value, FIELD, 'Content-Digest'));
  }
  // A build of OpenSSL may do without the old ones.
  return expected.filter(({ algorithm, digests }) => getHashes().includes(algorithm) && digests.every(isDigestOf(algorithm)));
}

function isDigestOf(algorithm) {
  return (digest) => digest.byteLength === LENGTHS[algorithm];
}

/** One member of a dictionary whose values are byte sequences (RFC 8941, sections 3.2 and 3.3.5). */
const FIELD = /^\s*([\w-]+)=:([A-Za-z0-9+/]+={0,2}):\s*(?:;.*)?$/;

function listed(value, form, source) {
  const members = value.split(',').map((member) => form.exec(member)).filter((member) => member !== null);
  return members.flatMap(([, name, digest]) => {
    const algorithm = ALGORITHMS.get(name.toLowerCase());
    return algorithm === undefined ? [] : [{ algorithm, digests: [Buffer.from(digest, 'base64')], source }];
  });
}

/** Digests under way: one pass over the bytes for all that are expected. */
class Hashes {
  #hashes = new Map();

  /** @param {Expected[]} expected */
  constructor(expected) {
    for (const { algorithm } of expected) {
      if (!this.#hashes.has(algorithm)) this.#hashes.set(algorithm, createHash(algorithm));
    }
    this.expected = expected;
  }

  get isNeeded() {
    return this.#hashes.size > 0;
  }

  update(bytes) {
    for (const hash of this.#hashes.values()) hash.update(bytes);
  }

  /** Ends them. @returns {Expected & { actual: Buffer } | undefined} one that is not met */
  mismatch() {
    const actual = new Map(Array.from(this.#hashes, ([algorithm, hash]) => [algorithm, hash.digest()]));
    const wrong = this.expected.find(({ algorithm, digests }) => !digests.some((digest) => actual.get(algorithm).equals(digest)));
    return wrong && { ...wrong, actual: actual.get(wrong.algorithm) };
  }
}

module.exports = { parseDigest, digestsOf, Hashes };

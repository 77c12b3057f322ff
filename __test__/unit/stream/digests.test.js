'use strict';

/** Digests as servers and callers write them. */

const { createHash } = require('node:crypto');

const { Hashes, digestsOf, parseDigest } = require('../../../lib/stream/digests');

const of = (algorithm, text, encoding = 'base64') => createHash(algorithm).update(text).digest(encoding);
const named = (expected) => expected.map(({ algorithm, digests, source }) => [source, algorithm, digests[0].toString('base64')]);

test('fields of RFC 9530, one of several, with parameters, by any case', () => {
  const found = digestsOf([
    ['repr-digest', `sha-256=:${of('sha256', 'a')}:, sha-512=:${of('sha512', 'a')}:;x=1`],
    ['content-digest', `SHA-256=:${of('sha256', 'b')}:`],
  ]);
  expect(named(found)).toEqual([
    ['Repr-Digest', 'sha256', of('sha256', 'a')],
    ['Repr-Digest', 'sha512', of('sha512', 'a')],
    ['Content-Digest', 'sha256', of('sha256', 'b')],
  ]);
});

test('fields of their predecessors', () => {
  const found = digestsOf([
    ['digest', `SHA-256=${of('sha256', 'a')},MD5=${of('md5', 'a')}, sha=${of('sha1', 'a')}, adler32=03da0195`],
    ['content-md5', of('md5', 'a')],
  ]);
  expect(named(found)).toEqual([
    ['Digest', 'sha256', of('sha256', 'a')],
    ['Digest', 'md5', of('md5', 'a')],
    ['Digest', 'sha1', of('sha1', 'a')],
    ['Content-MD5', 'md5', of('md5', 'a')],
  ]);
});

test.each([
  ['repr-digest', ''],
  ['repr-digest', 'sha-256=abc'],
  ['repr-digest', 'unixsum=:AQ==:, crc32c=:AAAA:'],
  ['repr-digest', 'sha-256=:not base64!:'],
  ['digest', 'sha-256'],
  ['etag', '"sha-256=:abc:"'],
])('%s: %s asks for nothing', (name, value) => {
  expect(digestsOf([[name, value]])).toEqual([]);
});

test('of the caller the strongest count, and one of them suffices', () => {
  const parsed = parseDigest(`sha256-${of('sha256', 'x')} sha384-${of('sha384', 'a')} sha384-${of('sha384', 'b')}`, 'digest');
  for (const [text, isRight] of [['a', true], ['b', true], ['x', false]]) {
    const hashes = new Hashes([parsed]);
    hashes.update(Buffer.from(text));
    expect(hashes.mismatch() === undefined).toBe(isRight);
  }
  expect(() => parseDigest(`sha256-${of('sha256', 'a')} crc-1`, 'digest')).toThrow('digest must be digests');
});

test('the first that is not met is told, and the others are held as well', () => {
  const expected = [
    { algorithm: 'sha256', digests: [createHash('sha256').update('ab').digest()], source: 'Digest' },
    { algorithm: 'md5', digests: [createHash('md5').update('ax').digest()], source: 'Content-MD5' },
  ];
  const hashes = new Hashes(expected);
  expect(hashes.isNeeded).toBe(true);
  hashes.update(Buffer.from('a'));
  hashes.update(Buffer.from('b'));
  expect(hashes.mismatch()).toMatchObject({ source: 'Content-MD5', actual: createHash('md5').update('ab').digest() });
  expect(new Hashes([]).isNeeded).toBe(false);
  expect(new Hashes([]).mismatch()).toBeUndefined();
});

'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { checkBody, makeBody } = require('../../recovery/lib/bodies');

const call = { id: 'call-1', length: 4096 };

test('a body is right in any one version, and in no other way', () => {
  const [first, second] = [0, 1].map((version) => makeBody(7, call.id, version, call.length));
  assert.equal(checkBody(first, 7, call), 'right');
  assert.equal(checkBody(second, 7, call), 'right');
  assert.equal(checkBody(Buffer.concat([first.subarray(0, 1000), second.subarray(1000)]), 7, call), 'other');
  assert.equal(checkBody(makeBody(7, 'call-2', 0, call.length), 7, call), 'other');
  assert.equal(checkBody(makeBody(8, call.id, 0, call.length), 7, call), 'other');
});

test('one flipped bit, a missing byte and one too many are seen', () => {
  const body = makeBody(7, call.id, 0, call.length);
  assert.equal(checkBody(body.subarray(0, 4095), 7, call), 'short');
  assert.equal(checkBody(Buffer.concat([body, Buffer.alloc(1)]), 7, call), 'long');
  body[4000] ^= 1;
  assert.equal(checkBody(body, 7, call), 'other');
});

test('bytes are looked at where they lie in a larger buffer', () => {
  const padded = Buffer.concat([Buffer.alloc(3, 9), makeBody(7, call.id, 5, call.length)]);
  assert.equal(checkBody(padded.subarray(3), 7, call), 'right');
});

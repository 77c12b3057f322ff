'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { readOptions, UsageError } = require('../lib/options');

test('only a complete run is a record', () => {
  assert.equal(readOptions([]).record, true);
  assert.equal(readOptions(['--rounds', '9']).record, true);
  assert.equal(readOptions(['--rounds', '2']).record, false);
  assert.equal(readOptions(['--quick']).record, false);
  assert.equal(readOptions(['--peers', 'fetch']).record, false);
  assert.equal(readOptions(['--cases', 'json-50']).record, false);
});

test('what is not known is refused by name', () => {
  assert.throws(() => readOptions(['--peers', 'fetch,curl']), { message: /"curl" is none of/ });
  assert.throws(() => readOptions(['--cases', 'json-7']), UsageError);
  assert.throws(() => readOptions(['--rounds', '0']), UsageError);
  assert.throws(() => readOptions(['--speed']), UsageError);
});

'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { UsageError } = require('../../lib/arguments');
const { readOptions } = require('../../recovery/lib/options');

test('only every client in every script, in full and with the usual seed, is a record', () => {
  assert.equal(readOptions([]).record, true);
  assert.equal(readOptions(['--quick']).record, false);
  assert.equal(readOptions(['--peers', 'fetch']).record, false);
  assert.equal(readOptions(['--scripts', 'outage']).record, false);
  assert.equal(readOptions(['--seed', '8']).record, false);
});

test('what is not known is refused by name', () => {
  assert.throws(() => readOptions(['--peers', 'fetch,curl']), { message: /"curl" is none of/ });
  assert.throws(() => readOptions(['--scripts', 'flood']), { message: /"flood" is none of/ });
  assert.throws(() => readOptions(['--seed', 'x']), UsageError);
  assert.throws(() => readOptions(['--luck']), UsageError);
});

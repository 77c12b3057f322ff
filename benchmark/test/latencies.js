'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { Latencies } = require('../lib/latencies');

test('quantiles are the shortest time that so many calls stayed within', () => {
  const latencies = new Latencies();
  for (let ms = 1; ms <= 100; ms += 1) latencies.add(ms);
  assert.equal(latencies.quantile(0.5), 50);
  assert.equal(latencies.quantile(0.99), 99);
  assert.equal(latencies.total, 100);
});

test('a call longer than the table counts as its last entry', () => {
  const latencies = new Latencies();
  latencies.add(60_000);
  assert.equal(latencies.quantile(0.5), 4000);
});

test('what was counted before clear is gone', () => {
  const latencies = new Latencies();
  latencies.add(500);
  latencies.clear();
  latencies.add(0.0123);
  assert.equal(latencies.total, 1);
  assert.equal(latencies.quantile(0.99), 0.012);
});

'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { median, ratio, summarize } = require('../lib/summary');

const measured = (round, peer, rate) => ({ round, case: 'json-50', peer, figures: { rate } });

test('the median of an even number of values lies between the middle two, whatever their order', () => {
  assert.equal(median([10, 9, 100]), 10);
  assert.equal(median([4, 1, 100, 2]), 3);
});

test('a peer is summed up by its median and by how far its rounds lie apart', () => {
  const rounds = [measured(1, 'a', 90), measured(2, 'a', 100), measured(3, 'a', 120), measured(1, 'b', 7)];
  assert.deepEqual(summarize(rounds, 'json-50', 'a'), { rate: 100, spread: 0.15 });
  assert.deepEqual(summarize(rounds, 'json-50', 'b'), { rate: 7 });
  assert.equal(summarize(rounds, 'json-1', 'a'), undefined);
});

test('a ratio is taken within each round, so a slow phase of the machine that hits both leaves it alone', () => {
  const rounds = [
    ...[measured(1, 'a', 400), measured(1, 'b', 100)],
    ...[measured(2, 'a', 100), measured(2, 'b', 20)],
    ...[measured(3, 'a', 420), measured(3, 'b', 100)],
    measured(4, 'a', 1),
  ];
  const found = ratio(rounds, { case: 'json-50', figure: 'rate', peer: 'a', against: 'b' });
  assert.deepEqual(found, { median: 4.2, low: 4, high: 5 });
  assert.equal(ratio(rounds, { case: 'json-50', figure: 'rate', peer: 'a', against: 'c' }), undefined);
});

'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { lossWindow, score } = require('../../prevention/lib/score');

const right = (id, pause, ms = 40) => ({ id, pause, failure: null, ms });
const lost = (id, pause) => ({ id, pause, failure: 'ECONNRESET', ms: 1 });
const seen = { connections: 9, idle: 2000 };

test('a POST that arrived twice is a duplicate, whatever its caller was told', () => {
  const outcomes = [right('a', null), lost('b', 1980), right('c', 1980), lost('d', 1980)];
  const arrivals = new Map([['a', 2], ['b', 2], ['c', 1]]);
  const { posts, failed, codes, failedAfterArrival, duplicates, connections } = score(outcomes, arrivals, seen);
  assert.deepEqual({ posts, failed, codes, failedAfterArrival, duplicates, connections }, {
    posts: 4, failed: 2, codes: { ECONNRESET: 2 }, failedAfterArrival: 1, duplicates: 2, connections: 9,
  });
});

test('losses are told by the pause before them, from the moment when the server closes', () => {
  const outcomes = [right('a', null), right('b', 1900), lost('c', 2000), lost('d', 1980), right('e', 1980), right('f', 2010)];
  const figures = score(outcomes, new Map(), seen);
  assert.deepEqual(figures.byPause, [[-100, 0, 1], [-20, 1, 2], [0, 1, 1], [10, 0, 1]]);
  assert.deepEqual(lossWindow(figures), [-20, 0]);
  assert.equal(lossWindow(score([right('a', 1900)], new Map(), seen)), undefined);
});

test('times are those of the POSTs that succeeded', () => {
  const { p50, p99 } = score([right('a', null, 40), lost('b', 1980), right('c', 1980, 80)], new Map(), seen);
  assert.deepEqual({ p50, p99 }, { p50: 40, p99: 80 });
});

'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { amplification, overhead, quantile, score } = require('../../recovery/lib/score');

const post = (id) => ({ id, at: 0, method: 'POST', length: 100 });
const right = (id, ms = 1) => ({ id, result: 'right', ms });
const counted = (byCall) => new Map(Object.entries(byCall).map(([id, effects]) => [id, { requests: 9, effects }]));
const network = (requests = {}, bytes = 0) => ({ requests: new Map(Object.entries(requests)), bytes });

test('each effect of a POST beyond its first is a duplicate, and a missing one makes up for none', () => {
  const calls = ['a', 'b', 'c', 'd'].map(post);
  const outcomes = calls.map(({ id }) => right(id));
  const figures = score(calls, outcomes, counted({ a: 1, b: 3, c: 0 }), network());
  assert.equal(figures.duplicates, 2);
  assert.equal(score(calls, outcomes, counted({ a: 1, b: 1, c: 1, d: 1 }), network()).duplicates, 0);
});

test('an answer that is not the right one is neither a success nor a failure; a call that hangs has failed', () => {
  const calls = ['a', 'b', 'c', 'd', 'e'].map(post);
  const outcomes = [
    right('a'),
    { id: 'b', result: 'wrong', detail: 'short', ms: 1 },
    { id: 'c', result: 'wrong', detail: 'other', ms: 1 },
    { id: 'd', result: 'failed', detail: 'ECONNRESET', ms: 1 },
    { id: 'e', result: 'hung', ms: 32_000 },
  ];
  const { succeeded, wrong, failed, hung, details } = score(calls, outcomes, counted({}), network());
  assert.deepEqual({ succeeded, wrong, failed, hung }, { succeeded: 1, wrong: 2, failed: 2, hung: 1 });
  assert.deepEqual(details, { short: 1, other: 1, ECONNRESET: 1 });
});

test('times are those of the calls that succeeded: to fail fast is no merit', () => {
  const calls = ['a', 'b', 'c'].map(post);
  const outcomes = [right('a', 30), { id: 'b', result: 'failed', detail: 'ECONNRESET', ms: 1 }, right('c', 10)];
  const { p50, p99, max } = score(calls, outcomes, counted({}), network());
  assert.deepEqual({ p50, p99, max }, { p50: 10, p99: 30, max: 30 });
  const none = score([post('b')], [outcomes[1]], counted({}), network());
  assert.equal(none.p50, null);
});

test('a quantile is the shortest time that so many calls stayed within', () => {
  const times = Array.from({ length: 100 }, (_, index) => index + 1);
  assert.equal(quantile(times, 0.5), 50);
  assert.equal(quantile(times, 0.99), 99);
  assert.equal(quantile(times, 1), 100);
  assert.equal(quantile([7], 0.5), 7);
  assert.equal(quantile([], 0.5), null);
});

test('amplification counts what was sent for the calls, whatever came of it, and not what prepared them', () => {
  const calls = [post('a'), post('b'), { ...post('c'), prelude: true }];
  const outcomes = [right('a'), { id: 'b', result: 'failed', detail: 'ECONNRESET', ms: 1 }, right('c')];
  const figures = score(calls, outcomes, counted({}), network({ a: 1, b: 4, c: 7, 'warm-up-0': 9 }));
  assert.equal(figures.requests, 5);
  assert.equal(amplification(figures), 2.5);
  assert.equal(figures.calls, 2);
});

test('bytes are needed where a call succeeded; where none did there is no ratio', () => {
  const calls = [post('a'), post('b'), { ...post('c'), prelude: true }];
  const outcomes = [right('a'), { id: 'b', result: 'failed', ms: 1 }, right('c')];
  const figures = score(calls, outcomes, counted({}), network({}, 500));
  assert.equal(figures.bytesNeeded, 200);
  assert.equal(overhead(figures), 2.5);
  assert.equal(overhead({ bytesFetched: 500, bytesNeeded: 0 }), null);
});

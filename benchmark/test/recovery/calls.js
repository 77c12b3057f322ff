'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { row, strike, targetOf, withStrikes } = require('../../recovery/lib/calls');
const { loadScript, scriptNames } = require('../../recovery/lib/scripts');

const calls = row({ count: 2000, every: 10, method: 'GET' });

test('what strikes a call depends on the seed and on the call, not on the calls around it', () => {
  const struck = withStrikes(calls, 7, 0.1);
  assert.deepEqual(withStrikes(calls.slice(1000), 7, 0.1), struck.slice(1000));
  assert.notDeepEqual(withStrikes(calls, 8, 0.1), struck);
});

test('every attempt is struck with the probability, the second like the first', () => {
  const struck = withStrikes(calls, 7, 0.3);
  const atLeast = (strikes) => struck.filter((call) => call.strikes >= strikes).length;
  assert.ok(Math.abs(atLeast(1) / calls.length - 0.3) < 0.04, `${atLeast(1)}`);
  assert.ok(Math.abs(atLeast(2) / atLeast(1) - 0.3) < 0.07, `${atLeast(2)} of ${atLeast(1)}`);
  // 0.3 ** 4 of 2000 are 16: nobody is spared the fourth for having met three.
  assert.ok(atLeast(4) > 6 && atLeast(4) < 30, `${atLeast(4)}`);
});

test('a fault belongs to one call and to as many of its attempts as are to be struck', () => {
  const faults = [];
  const struck = withStrikes(calls.slice(0, 50), 7, 0.3);
  strike({ add: (fault) => faults.push(fault) }, struck, () => ({ type: 'reset', on: 'response-head' }));
  const chosen = struck.filter(({ strikes }) => strikes > 0);
  assert.deepEqual(faults, chosen.map(({ id, strikes }) => (
    { type: 'reset', on: 'response-head', match: { method: 'GET', path: `/calls/${id}` }, times: strikes }
  )));
});

test('a request says what its call is and what it asks of the origin', () => {
  assert.equal(targetOf({ id: 'a-1', length: 8, ask: { delay: 5 } }), '/calls/a-1?length=8&delay=5');
});

test('every script makes the same calls for the same seed, with ids of their own', () => {
  for (const name of scriptNames()) {
    const plan = { seed: 7, quick: false };
    const made = loadScript(name).calls(plan);
    assert.deepEqual(loadScript(name).calls(plan), made, name);
    assert.equal(new Set(made.map(({ id }) => id)).size, made.length, name);
    assert.ok(loadScript(name).calls({ ...plan, quick: true }).length < made.length, name);
  }
});

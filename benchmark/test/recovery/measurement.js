'use strict';

/** Whole measurements, with clients whose behaviour is known: what the scripts claim to do to a call they must do. */

const assert = require('node:assert/strict');
const path = require('node:path');
const { test } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');

const { measure } = require('../../recovery/lib/measurement');
const { loadScript } = require('../../recovery/lib/scripts');
const { CLOSE } = require('../../recovery/lib/stale');

const PLAN = { seed: 7, quick: true };

async function play(script, ...peers) {
  const found = await measure(peers, { ...PLAN, script });
  return found.map(({ failed, score }) => {
    assert.equal(failed, undefined);
    return score;
  });
}

const total = (calls) => calls.reduce((sum, { strikes }) => sum + strikes, 0);

test('calls are struck as often as drawn, some after the server has acted, and it counts what it did', async () => {
  const calls = loadScript('reset-post').calls(PLAN);
  const struck = calls.filter(({ strikes }) => strikes > 0);
  const [never, always] = await play('reset-post', 'fetch', 'p-retry');
  assert.equal(never.succeeded, calls.length - struck.length);
  assert.equal(never.requests, calls.length);
  assert.equal(never.duplicates, 0);
  assert.equal(always.succeeded, calls.length);
  assert.equal(always.requests, calls.length + total(calls));
  assert.equal(always.duplicates, total(struck.filter(({ where }) => where >= 0.5)));
});

test('every request crosses the close of its connection, and none of them reaches the server', async () => {
  const [never, always] = await play('stale-post', 'fetch', 'p-retry');
  assert.equal(never.succeeded, 0);
  assert.equal(never.requests, never.calls);
  assert.equal(always.succeeded, always.calls);
  assert.equal(always.duplicates, 0);
});

test('a client that continues what changes is found out', async () => {
  const calls = loadScript('reset-live-body').calls(PLAN);
  const [spliced, startedOver] = await play('reset-live-body', 'undici-retry-agent', 'p-retry');
  assert.equal(spliced.wrong, calls.filter(({ strikes }) => strikes > 0).length);
  assert.equal(startedOver.wrong, 0);
  assert.equal(startedOver.succeeded, calls.length);
});

test('a client that cannot play is a failure of its own', async () => {
  const [{ failed }, { score }] = await measure(['no-such-client', 'fetch'], { ...PLAN, script: 'reset-post' });
  assert.match(failed, /client\.js: .*no-such-client/s);
  assert.ok(score.succeeded > 0);
});

test('a client that dies is a failure too, and what is to happen later in its script ends nothing else', async () => {
  const [{ failed }] = await measure([path.join('..', '..', 'test', 'recovery', 'peers', 'dies')], { ...PLAN, script: 'stale-get' });
  assert.match(failed, /client\.js: ended with 3/);
  // Until the origin, which has ended as well, has been told to close.
  await sleep(CLOSE);
});

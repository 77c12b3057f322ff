'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { LATENCY, QUICK, RECORD, SERVERS, lanesOf } = require('../../prevention/lib/plan');
const { readOptions } = require('../../prevention/lib/options');

test('the pauses are stepped across the moment when the server closes, each as often as there are passes', () => {
  for (const server of [SERVERS.hint, SERVERS.silent]) {
    const lanes = lanesOf(server, RECORD);
    assert.equal(lanes.length, RECORD.lanes);
    const pauses = lanes.flat().sort((a, b) => a - b);
    assert.equal(pauses.filter((pause) => pause === server.idle - LATENCY).length, RECORD.passes);
    // A request that leaves a round trip before the close is in time; one that leaves after it finds it closed.
    assert.ok(pauses[0] < server.idle - 2 * LATENCY && pauses.at(-1) > server.idle);
  }
  const pauses = lanesOf(SERVERS.brisk, RECORD).flat();
  assert.ok(Math.max(...pauses) < SERVERS.brisk.idle / 2);
});

test('what is shared out among the lanes is everything', () => {
  const [one] = lanesOf(SERVERS.silent, { ...QUICK, lanes: 1 });
  assert.deepEqual(lanesOf(SERVERS.silent, QUICK).flat().sort(), [...one].sort());
});

test('only every client at every server, in full, is a record', () => {
  assert.equal(readOptions([]).record, true);
  assert.equal(readOptions(['--quick']).record, false);
  assert.equal(readOptions(['--peers', 'fetch']).record, false);
  assert.equal(readOptions(['--servers', 'silent']).record, false);
  assert.throws(() => readOptions(['--servers', 'nginx']), { message: /"nginx" is none of/ });
});

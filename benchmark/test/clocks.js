'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');

const { perCall, readClocks } = require('../lib/clocks');

/** Keeps the main thread busy for so many ms of its own processor time. */
function burn(ms) {
  const begun = process.cpuUsage();
  for (;;) {
    const { user, system } = process.cpuUsage(begun);
    if (user + system >= ms * 1e3) return;
  }
}

test('time on the event loop is what the main thread computed, not what it waited', async () => {
  const begin = readClocks(process.pid);
  burn(200);
  await sleep(300);
  const figures = perCall(begin, readClocks(process.pid), 10);
  // 20 ms per call; what is left of the room is the accounting tick of the kernel and the burn's other threads.
  assert.ok(figures.loop > 15_000 && figures.loop < 25_000, `${figures.loop} us`);
  assert.ok(figures.cpu >= 20_000, `${figures.cpu} us`);
  // The waiting counts. 0.5 s in all, less where the burn's other threads had the second core to themselves.
  assert.ok(figures.rate < 10 / 0.4, `${figures.rate} calls/s`);
});

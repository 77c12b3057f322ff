'use strict';

const assert = require('node:assert/strict');
const { existsSync } = require('node:fs');
const { test } = require('node:test');

const { readThreads, usePerCall } = require('../lib/threads');

test('what the main thread computes is the event loop\'s', { skip: !existsSync('/proc/self/task') }, () => {
  const before = readThreads();
  const begun = process.cpuUsage();
  for (let used = 0; used < 200_000; ) {
    const { user, system } = process.cpuUsage(begun);
    used = user + system;
  }
  const threads = usePerCall(before, readThreads(), 10);
  // 20 ms per call, less what other threads of the process used meanwhile.
  assert.ok(threads['event loop'].cpu > 15_000 && threads['event loop'].cpu < 25_000, `${threads['event loop'].cpu} us`);
  assert.ok(threads['event loop'].system <= threads['event loop'].cpu + 1000);
});

test('what is told is the difference per call, of threads that were there at both ends', () => {
  const use = (cpu) => ({ cpu, system: 0, faults: cpu / 10, waits: 4 });
  const threads = usePerCall({ a: use(100), gone: use(1) }, { a: use(300), late: use(7) }, 50);
  assert.deepEqual(threads, { a: { cpu: 4, system: 0, faults: 0.4, waits: 0 } });
});

'use strict';

const { runProgram } = require('../support/program');

test.each([
  ['waits', 'later'],
  ['waitsWhileDown', 'waited'],
  ['unref', 'ends'],
  ['ref', 'later'],
  ['workers', 'terminated'],
])('%s', async (name, printed) => {
  const ended = await runProgram('sockets.js', [name]);
  expect(ended).toMatchObject({ code: 0, signal: null, stderr: '' });
  expect(ended.stdout.trim()).toBe(printed);
});

test('process.exit with sockets in every state', async () => {
  const ended = await runProgram('sockets.js', ['exits']);
  expect(ended).toMatchObject({ code: 7, signal: null, stdout: 'exiting\n', stderr: '' });
});

test('an error that nobody listens to is uncaught', async () => {
  const ended = await runProgram('sockets.js', ['unheard']);
  expect(ended).toMatchObject({ code: 1, signal: null });
  expect(ended.stderr).toContain('ECONNREFUSED');
});

test('a thousand sockets destroyed at every moment leave nothing behind', async () => {
  const ended = await runProgram('sockets.js', ['destroys']);
  expect(ended).toMatchObject({ code: 0, signal: null, stderr: '' });
  expect(JSON.parse(ended.stdout)).toEqual({ native: 0, descriptors: true });
}, 60_000);

// Other systems have no fifty addresses of their own.
(process.platform === 'linux' ? test : test.skip)('ten thousand resets leave memory, handles and descriptors as they were', async () => {
  // With a young generation of one MiB: V8 lets it grow to many of its own accord, which takes more than ten thousand.
  const { code, stdout, stderr } = await runProgram('sockets.js', ['resets'], { flags: ['--max-semi-space-size=1'] });
  expect([code, stderr]).toEqual([0, '']);
  const { before, after } = JSON.parse(stdout);
  // Connections of either end come and go: of a hundred at a time.
  expect(after.handles - before.handles).toBeLessThanOrEqual(100);
  expect(after.descriptors - before.descriptors).toBeLessThanOrEqual(100);
  // 8000 connections that left 100 bytes each behind would come to 800 kB.
  expect(after.heapUsed - before.heapUsed).toBeLessThan(800_000);
  expect(after.rss - before.rss).toBeLessThan(8 << 20);
}, 120_000);

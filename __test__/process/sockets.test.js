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

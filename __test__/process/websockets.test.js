'use strict';

const { runProgram } = require('../support/program');

test.each([
  ['waits', 'later'],
  ['unref', 'ends'],
  ['unheardEvent', '1006'],
])('%s', async (name, printed) => {
  const ended = await runProgram('websockets.js', [name]);
  expect(ended).toMatchObject({ code: 0, signal: null, stderr: '' });
  expect(ended.stdout.trim()).toBe(printed);
});

test('process.exit with WebSockets in every state', async () => {
  const ended = await runProgram('websockets.js', ['exits']);
  expect(ended).toMatchObject({ code: 7, signal: null, stdout: 'exiting\n', stderr: '' });
});

test('an error that nobody listens to is uncaught', async () => {
  const ended = await runProgram('websockets.js', ['unheard']);
  expect(ended).toMatchObject({ code: 1, signal: null });
  expect(ended.stderr).toContain('ECONNREFUSED');
});

'use strict';

/** How a handle ends with its program. */

const path = require('node:path');
const { execFile } = require('node:child_process');
const { promisify } = require('node:util');
const { freePort } = require('../../support/private-server');

const PROGRAM = path.join(__dirname, 'programs/idle-handle.js');

async function outputOf(what) {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [PROGRAM, what, await freePort()], { timeout: 20_000 });
  expect(stderr).toBe('');
  return stdout.trim();
}

test.each(['down', 'lost', 'pool'])('a program ends while its handle is %s and nobody waits for it', async (what) => {
  // The next attempt would be up to a minute away.
  expect(await outputOf(what)).toBe(what === 'lost' ? 'lost' : 'ETIMEDOUT');
});

test('a program goes on while somebody waits', async () => {
  expect(await outputOf('waiting')).toBe('ETIMEDOUT');
});

test('what a listener or a hook throws is an uncaught exception, and ends no call', async () => {
  expect(await outputOf('thrown')).toBe('ETIMEDOUT in a listener in isBroken');
});

test('nothing that fails is an unhandled rejection', async () => {
  expect(await outputOf('unheard')).toBe('closed');
});

'use strict';

/** A reader that is slow, or gone, costs no memory: what it has not asked for stays with the server. */

const { closeAll } = require('../../../testing');
const { runProgram } = require('../../support/program');
const { serveLargeFile, MIB } = require('../../support/large-file');

jest.setTimeout(120_000);
afterEach(closeAll);

test('of 2 GiB that are there to be had, a slow reader holds next to nothing', async () => {
  const origin = await serveLargeFile(2048 * MIB);
  const { code, stdout } = await runProgram('slow-consumer.js', [origin.url, String(32 * MIB)]);
  expect(code).toBe(0);
  const { read, grew } = JSON.parse(stdout);
  expect(read).toBeGreaterThanOrEqual(32 * MIB);
  expect(grew).toBeLessThan(32 * MIB);
});

test('a stream that nobody has any more ends its transfer', async () => {
  expect(await runProgram('forgotten-download.js')).toMatchObject({ code: 0, stdout: 'closed' });
});

'use strict';

const { runProgram } = require('../support/program');

/** A crash shows as a signal, a hang as the test's own timeout. */
async function printed(name, args) {
  const ended = await runProgram(name, args);
  expect(ended).toMatchObject({ code: 0, signal: null, stderr: '' });
  return ended.stdout.trim();
}

describe('the life of a process with a fault proxy', () => {
  test.each([
    ['unreferenced', 'hello'],
    ['closed', 'closed'],
    ['waits', 'closed'],
    ['failed', 'EADDRNOTAVAIL'],
  ])('%s: it ends by itself', async (name, line) => {
    expect(await printed('proxy-lifetime.js', [name])).toBe(line);
  });

  test.each([
    ['dropped', 'hello\n'],
    ['referenced', ''],
  ])('%s: it lives on', async (name, stdout) => {
    expect(await runProgram('proxy-lifetime.js', [name])).toEqual({ code: 7, signal: null, stdout, stderr: '' });
  });

  test('process.exit with open proxies', async () => {
    expect(await runProgram('proxy-lifetime.js', ['exits'])).toEqual({ code: 7, signal: null, stdout: 'exiting\n', stderr: '' });
  });
});

test('workers are terminated with open proxies: ports and descriptors are given back', async () => {
  expect(JSON.parse(await printed('proxy-workers.js'))).toEqual({ started: 60, told: 120, left: 0 });
}, 120_000);

test('a realm that is forgotten takes its proxy with it, and no other', async () => {
  expect(JSON.parse(await printed('proxy-realms.js'))).toEqual({ collected: true, closed: true, other: 'connected' });
});

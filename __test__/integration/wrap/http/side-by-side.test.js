'use strict';

/**
 * A request of a wrapped module that meets no fault is, to its listeners and to the server, one of Node's: the
 * same events in the same order, the same members, the same bytes. Each case is played on both.
 */

const http = require('node:http');

const { wrapHttp } = require('../../../..');
const CASES = require('./cases');
const FAULTS = require('./cases/faults');
const { startRaw } = require('./record');

test('the cases have names of their own', () => {
  const names = CASES.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

test.each(CASES.map((row) => [row.name, row]))('%s', async (name, row) => {
  await compare(row, wrapHttp(http));
});

describe('with the retries off, faults are as Node shows them', () => {
  test.each(FAULTS.map((row) => [row.name, row]))('%s', async (name, row) => {
    await compare(row, wrapHttp(http, { retry: false }));
  });
});

async function compare(row, wrapped) {
  const theirs = await observe(http, row);
  expect(await observe(wrapped, row)).toEqual(theirs);
}

/** What the caller saw, and the bytes that each connection of the server has received. */
async function observe(module, { run, answer }) {
  const server = await startRaw(answer);
  // An agent of its own: a connection that one case has left must not serve the next.
  const agent = new http.Agent({ keepAlive: true });
  try {
    const seen = await run(module, { server, port: server.port, agent, host: '127.0.0.1' });
    // Whether a connection that brought nothing was accepted before the end is a matter of time.
    const received = server.received.filter((text) => text !== '');
    // Plain data, in which the port is the same for both.
    return JSON.parse(JSON.stringify({ seen, received }).replaceAll(`:${server.port}`, ':PORT'));
  } finally {
    agent.destroy();
    await server.close();
  }
}

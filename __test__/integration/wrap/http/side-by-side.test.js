'use strict';

/**
 * A request of a wrapped module that meets no fault is, to its listeners and to the server, one of Node's. Each case is played
 * on both; where they are to differ, `differs` says how, and `docs/wrap-http.md` has it under the same words.
 */

const http = require('node:http');
const { readFileSync } = require('node:fs');
const path = require('node:path');

const { wrapHttp } = require('../../../..');
const { CASES } = require('./cases');
const FAULTS = require('./cases/faults');
const { startRaw } = require('./record');

const DOCUMENTED = readFileSync(path.join(__dirname, '../../../../docs/wrap-http.md'), 'utf8');

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
  const ours = await observe(wrapped, row);
  if (row.differs === undefined) {
    expect(ours).toEqual(theirs);
    return;
  }
  expect(DOCUMENTED).toContain(row.differs.as);
  expect(ours).not.toEqual(theirs);
  expect(ours).toEqual(row.differs.from(theirs));
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

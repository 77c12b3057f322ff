'use strict';

/** What tests of `classify` against every client's own errors have in common. */

const { startFaultyServer } = require('./faulty-server');
const { ClientRunner } = require('./client-task');
const { CLIENTS } = require('./clients');

/**
 * A faulty server and a runner of clients, there from before the first test of the file to after the last.
 *
 * @returns {{ server: Awaited<ReturnType<typeof startFaultyServer>>, runner: ClientRunner }}
 */
function clientSuite() {
  const suite = { server: undefined, runner: undefined };
  beforeAll(async () => {
    suite.server = await startFaultyServer();
    suite.runner = new ClientRunner();
  });
  afterAll(async () => {
    await suite.runner.close();
    await suite.server.close();
  });
  return suite;
}

/** Each row once for each client, as rows of `test.each`. */
function forEveryClient(rows) {
  return rows.flatMap((row) => Object.keys(CLIENTS).map((client) => ({ ...row, client })));
}

module.exports = { clientSuite, forEveryClient };

'use strict';

/** A server for MongoDB's driver, of a test's own; the `mongo-server.mjs` of the examples says what it is. */

const path = require('node:path');
const { PrivateServer } = require('./private-server');

/** @param {{ set?: number }} [options] `set`: the port under which the driver is to reach the only member of a replica set */
async function startMongo({ set } = {}) {
  const program = path.join(__dirname, '../../examples/support/mongo-server.mjs');
  return new PrivateServer(process.execPath, ({ port, directory }) => [
    program, String(port), directory, ...(set === undefined ? [] : [String(set)]),
  ], 'ready', { asUser: true }).start();
}

module.exports = { startMongo };

'use strict';

/** A Redis of a test's own. `describeRedis` skips, and says so, where none is installed. */

const { PrivateServer, describeWith } = require('./private-server');

async function startRedis() {
  return new PrivateServer('redis-server', ({ directory, port }) => [
    '--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--appendonly', 'yes', '--appendfsync', 'always',
  ], 'Ready to accept connections').start();
}

module.exports = { startRedis, describeRedis: describeWith('redis-server') };

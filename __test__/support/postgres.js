'use strict';

/** A PostgreSQL of a test's own. `describePostgres` skips, and says so, where none is installed. */

const fs = require('node:fs');
const path = require('node:path');
const { PrivateServer, describeWith } = require('./private-server');

/** Debian keeps the server's programs out of PATH. */
const DEBIAN = '/usr/lib/postgresql';
const BIN = fs.existsSync(DEBIAN)
  ? fs.readdirSync(DEBIAN).map((version) => path.join(DEBIAN, version, 'bin')).find((bin) => fs.existsSync(path.join(bin, 'postgres')))
  : '';
const program = (name) => (BIN ? path.join(BIN, name) : name);

/** The user is `postgres`, the database too, and there is no password. */
async function startPostgres({ settings = [] } = {}) {
  const server = new PrivateServer(program('postgres'), ({ directory, port }) => [
    '-D', path.join(directory, 'data'), '-p', String(port), '-h', '127.0.0.1', '-k', directory, '-c', 'fsync=off',
    ...settings.flatMap((setting) => ['-c', setting]),
  ], 'database system is ready to accept connections');
  server.run(program('initdb'), ['-D', path.join(server.directory, 'data'), '-U', 'postgres', '-A', 'trust', '--locale=C', '--no-sync']);
  return server.start();
}

module.exports = { startPostgres, describePostgres: describeWith(program('postgres')) };

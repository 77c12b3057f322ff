'use strict';

/** A MariaDB of a test's own. `describeMariadb` skips, and says so, where none is installed. */

const path = require('node:path');
const { PrivateServer, describeWith } = require('./private-server');

/** Everybody may do everything, so its own tables are not needed. The database is `test`. */
async function startMariadb() {
  const server = new PrivateServer('mariadbd', ({ directory, port }) => [
    '--no-defaults', `--datadir=${directory}`, `--port=${port}`, '--bind-address=127.0.0.1', `--socket=${path.join(directory, 's')}`,
    `--pid-file=${path.join(directory, 'pid')}`, '--skip-grant-tables', '--skip-networking=0',
    // Its rings count against a limit that a container may have used up.
    '--innodb-use-native-aio=0',
  ], 'ready for connections');
  await server.start();
  // The first pages of its files are written when it stops in order: killed before that, it would never start again.
  await server.stop('SIGTERM');
  return server.start();
}

module.exports = { startMariadb, describeMariadb: describeWith('mariadbd') };

'use strict';

/** The servers as the process under test sees them: where they are, and how many connections they have. */

const path = require('node:path');
const { fork } = require('node:child_process');
const { once } = require('node:events');

/**
 * @param {{ seed: number, tls: { key: string, cert: string } }} options
 */
async function startOrigin(options) {
  const server = fork(path.join(__dirname, '..', 'server.js'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv: [] });
  const dead = died(server);
  // It is asked for with each message; at the end nobody asks any more.
  dead.catch(() => {});
  server.send(options);
  const [addresses] = await Promise.race([once(server, 'message'), dead]);
  return {
    /** @type {import('./scene').Scene['addresses']} */
    addresses,
    /** @returns {Promise<number>} that the servers have, those of the proxy included */
    async connections() {
      server.send('connections');
      const [count] = await Promise.race([once(server, 'message'), dead]);
      return count;
    },
    closeIdleConnections() {
      server.send('close idle connections');
    },
    async stop() {
      server.disconnect();
      await once(server, 'exit');
    },
  };
}

async function died(server) {
  const [code, signal] = await once(server, 'exit');
  throw new Error(`the server ended (${signal ?? `exit code ${code}`})`);
}

module.exports = { startOrigin };

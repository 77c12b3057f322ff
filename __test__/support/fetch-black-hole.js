'use strict';

/**
 * A port where connecting neither succeeds nor fails: a process that listens and has been stopped, its queue of
 * connections full. Linux then drops every further SYN.
 */

const net = require('node:net');
const { spawn } = require('node:child_process');
const { once } = require('node:events');

const LISTENER = `
  const server = require('node:net').createServer();
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    process.stdout.write(String(server.address().port));
  });
`;

/** Linux completes one connection more than the backlog. */
const QUEUE = 2;

/** @returns {Promise<{ port: number, close(): Promise<void> }>} */
async function openBlackHole() {
  const listener = spawn(process.execPath, ['-e', LISTENER], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [written] = await once(listener.stdout, 'data');
  const port = Number(String(written));
  listener.kill('SIGSTOP');
  const waiting = Array.from({ length: QUEUE }, () => net.connect(port, '127.0.0.1'));
  await Promise.all(waiting.map((socket) => once(socket, 'connect')));
  return {
    port,
    async close() {
      for (const socket of waiting) socket.destroy();
      listener.kill('SIGKILL');
      await once(listener, 'exit');
    },
  };
}

module.exports = { openBlackHole };

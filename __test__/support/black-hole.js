'use strict';

/**
 * A port that accepts no connection and refuses none. A process listens there and sleeps for ever; once its
 * short queue is full, the system ignores further connections, as a firewall does that drops packets.
 */

const net = require('node:net');
const { spawn } = require('node:child_process');
const { once } = require('node:events');

const SLEEPER = `
  const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    require('node:fs').writeSync(1, String(server.address().port));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });`;

/** @returns {Promise<{ port: number, close(): Promise<void> }>} */
async function openBlackHole() {
  const sleeper = spawn(process.execPath, ['-e', SLEEPER], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = (await once(sleeper.stdout, 'data')).map(Number);
  const waiting = [];
  const join = () => {
    const socket = net.connect(port, '127.0.0.1').on('error', () => {});
    waiting.push(socket);
    return socket;
  };
  // One after the other, until the queue takes no more: a connection on loopback takes microseconds.
  while (await connects(join()));
  return {
    port,
    async close() {
      const exit = once(sleeper, 'exit');
      sleeper.kill('SIGKILL');
      await exit;
      for (const socket of waiting) socket.destroy();
    },
  };
}

function connects(socket) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, 500, false);
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

module.exports = { openBlackHole };

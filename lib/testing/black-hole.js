'use strict';

/**
 * A port that accepts no connection and refuses none. A process listens there and sleeps; once its short queue is
 * full, the system ignores further connections, as a firewall does that drops packets. On Linux.
 */

const net = require('node:net');
const { spawn } = require('node:child_process');
const { once } = require('node:events');

const { opened } = require('./open');

/** It ends by itself, a second late, when the process that wanted it is gone: nobody else would know of it. */
const SLEEPER = `
  const parent = process.ppid;
  const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    require('node:fs').writeSync(1, String(server.address().port));
    const never = new Int32Array(new SharedArrayBuffer(4));
    while (process.ppid === parent) Atomics.wait(never, 0, 0, 1000);
    process.exit();
  });`;

/** How long a connection to a queue that has room may take (ms). It takes microseconds. */
const PATIENCE = 500;

/** @returns {Promise<import('../../testing').BlackHole>} */
async function openBlackHole() {
  if (process.platform !== 'linux') {
    // Elsewhere a full queue refuses, or takes more than it says: a test would prove something else.
    throw Object.assign(new Error('openBlackHole needs Linux'), { code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM' });
  }
  const sleeper = spawn(process.execPath, ['-e', SLEEPER], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = (await once(sleeper.stdout, 'data')).map(Number);
  const waiting = [];
  const join = () => {
    const socket = net.connect(port, '127.0.0.1').on('error', () => {});
    waiting.push(socket);
    return socket;
  };
  // One after the other, until the queue takes no more.
  while (await connects(join()));
  return opened({ port, url: `http://127.0.0.1:${port}` }, async () => {
    const exit = once(sleeper, 'exit');
    sleeper.kill('SIGKILL');
    await exit;
    for (const socket of waiting) socket.destroy();
  });
}

function connects(socket) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, PATIENCE, false);
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

module.exports = { openBlackHole };

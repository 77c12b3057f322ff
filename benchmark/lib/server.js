'use strict';

const { spawn, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const readline = require('node:readline');

const SOURCES = path.join(__dirname, '..', 'server');

/**
 * Builds the server when its sources have changed; cargo says where the program is, because that depends on
 * CARGO_TARGET_DIR and on the user's cargo configuration.
 * @returns {string} the program
 */
function buildServer() {
  const cargo = spawnSync('cargo', ['build', '--release', '--message-format=json-render-diagnostics'], {
    cwd: SOURCES,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 64 * 1024 * 1024,
  });
  if (cargo.error) throw new Error(`the benchmark's server needs cargo: ${cargo.error.message}`);
  if (cargo.status !== 0) throw new Error('the benchmark\'s server could not be built');
  const messages = cargo.stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line));
  return messages.find((message) => message.executable).executable;
}

/**
 * Starts the server. It ends with its standard input, so also when this process is killed.
 * @param {string} program
 * @returns {Promise<{ origin: string, pid: number, stop: () => Promise<void> }>}
 */
async function startServer(program) {
  const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const lines = readline.createInterface({ input: child.stdout });
  const [port] = await Promise.race([
    once(lines, 'line'),
    ended.then(([code, signal]) => {
      throw new Error(`the benchmark's server ended at once (${signal ?? code})`);
    }),
  ]);
  return {
    origin: `http://127.0.0.1:${port}`,
    pid: child.pid,
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}

module.exports = { buildServer, startServer };

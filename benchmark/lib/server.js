'use strict';

const { spawn, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
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
 * @returns {Promise<{ origin: string, tlsOrigin: string, authority: string, pid: number, stop: () => Promise<void> }>}
 *   `authority`: a file with the certificate that clients have to trust, which is there until `stop`
 */
async function startServer(program) {
  const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const lines = readline.createInterface({ input: child.stdout });
  const [line] = await Promise.race([
    once(lines, 'line'),
    ended.then(([code, signal]) => {
      throw new Error(`the benchmark's server ended at once (${signal ?? code})`);
    }),
  ]);
  const { port, tlsPort, authority } = JSON.parse(line);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'unreset-benchmark-'));
  const file = path.join(folder, 'authority.pem');
  fs.writeFileSync(file, authority);
  return {
    origin: `http://127.0.0.1:${port}`,
    tlsOrigin: `https://127.0.0.1:${tlsPort}`,
    authority: file,
    pid: child.pid,
    async stop() {
      fs.rmSync(folder, { recursive: true });
      child.stdin.end();
      await ended;
    },
  };
}

module.exports = { buildServer, startServer };

'use strict';

/**
 * A database server of a test's own: a process on a free port of this machine, with its data in a directory that goes with
 * it. It can be stopped, killed and started again on the same port.
 */

const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { execFileSync, spawn } = require('node:child_process');
const { once } = require('node:events');

/** `nobody`: database servers refuse to run as root. */
const UNPRIVILEGED = 65_534;

class PrivateServer {
  #command;
  #argumentsFor;
  #readyLine;
  #process;
  #ids;

  /**
   * @param {string} command
   * @param {(server: PrivateServer) => string[]} argumentsFor
   * @param {string} readyLine what it prints when clients may connect
   * @param {{ asUser?: boolean }} [options] `asUser`: it runs as whoever runs the tests, and can read what they can
   */
  constructor(command, argumentsFor, readyLine, { asUser = false } = {}) {
    this.#ids = asUser ? {} : ids;
    this.#command = command;
    this.#argumentsFor = argumentsFor;
    this.#readyLine = readyLine;
    this.directory = fs.mkdtempSync(path.join(os.tmpdir(), 'unreset-db-'));
    if (this.#ids.uid !== undefined) fs.chownSync(this.directory, ids.uid, ids.gid);
  }

  async start() {
    this.port ??= await freePort();
    const [command, ...args] = [...parented, this.#command, ...this.#argumentsFor(this)];
    const server = spawn(command, args, { ...this.#ids, cwd: this.directory, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = server;
    this.exited = once(server, 'exit');
    await new Promise((resolve, reject) => {
      let log = '';
      const read = (chunk) => {
        log += chunk;
        if (log.includes(this.#readyLine)) resolve();
      };
      server.stdout.on('data', read);
      server.stderr.on('data', read);
      server.on('error', reject);
      server.on('exit', () => reject(new Error(`${this.#command} ended:\n${log}`)));
    });
    return this;
  }

  /** @param {NodeJS.Signals} [signal] */
  async stop(signal = 'SIGKILL') {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill(signal);
    await this.exited;
  }

  /** It is there, and does nothing: connections are accepted, and nothing is answered. */
  freeze() {
    this.#process.kill('SIGSTOP');
  }

  thaw() {
    this.#process.kill('SIGCONT');
  }

  async remove() {
    await this.stop();
    fs.rmSync(this.directory, { recursive: true, force: true });
  }

  /** Runs a program as the user that the server runs as. */
  run(command, args, input) {
    return execFileSync(command, args, { ...this.#ids, cwd: this.directory, input, stdio: ['pipe', 'pipe', 'pipe'] });
  }
}

const ids = process.getuid?.() === 0 ? { uid: UNPRIVILEGED, gid: UNPRIVILEGED } : {};
/** It ends with the test runner, however that ends. */
const parented = hasProgram('setpriv') ? ['setpriv', '--pdeathsig', 'KILL'] : [];

function hasProgram(command) {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * `describe`, or one that skips and says why.
 *
 * @param {string} command which has to be there
 * @returns {(name: string, suite: () => void) => void}
 */
function describeWith(command) {
  return (name, suite) => (hasProgram(command) ? describe(name, suite) : describe.skip(`${name} (skipped: there is no ${command})`, suite));
}

module.exports = { PrivateServer, describeWith, freePort };

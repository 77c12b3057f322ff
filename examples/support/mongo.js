'use strict';

/**
 * A MongoDB that can be killed and started again, with all that it holds, and that a script may interrupt between its work
 * and its answer. `mongo-server.mjs` says what it is.
 */

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { fork } = require('node:child_process');
const { once } = require('node:events');

const PROGRAM = path.join(__dirname, 'mongo-server.mjs');

class Mongo {
  #directory = fs.mkdtempSync(path.join(os.tmpdir(), 'unreset-demo-'));
  #onWork;
  #process;

  /** On which it listens; the same after it was started again. */
  port = 0;

  /**
   * @param {(did: { command: string, collection: string, what: object }) => boolean} onWork is told of each command that was
   *   done; whether it is to be answered
   */
  constructor(onWork) {
    this.#onWork = onWork;
  }

  async start() {
    const server = fork(PROGRAM, [String(this.port), this.#directory], { silent: true });
    this.#process = server;
    let output = '';
    for (const stream of [server.stdout, server.stderr]) stream.on('data', (chunk) => { output += chunk; });
    await new Promise((resolve, reject) => {
      server.on('exit', () => reject(new Error(`The server has ended:\n${output}`)));
      server.on('message', ({ port, did, id }) => {
        if (did === undefined) {
          this.port = port;
          resolve();
        } else if (this.#onWork(did) && server.connected) {
          server.send(id);
        }
      });
    });
    return this;
  }

  /** As a crash does it. */
  async kill() {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'close');
    this.#process.kill('SIGKILL');
    await ended;
  }

  async remove() {
    await this.kill();
    fs.rmSync(this.#directory, { recursive: true, force: true });
  }
}

module.exports = { Mongo };

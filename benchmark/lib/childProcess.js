'use strict';

const { fork } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { text } = require('node:stream/consumers');

const { ownEnvironment } = require('./environment');

/**
 * A child process that tells by messages; waiting for one fails when the process ends first.
 *
 * @param {string} file
 * @param {object} job its argument, as JSON
 * @param {string[]} [flags] of Node
 */
function startProcess(file, job, flags = []) {
  const child = fork(file, [JSON.stringify(job)], {
    env: ownEnvironment(),
    execArgv: flags,
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  });
  const complaint = text(child.stderr);
  const ended = once(child, 'exit').then(async ([code, signal]) => {
    throw new Error(`${path.basename(file)}: ${(await complaint).trim() || `ended with ${signal ?? code}`}`);
  });
  ended.catch(() => {}); // looked at only where somebody waits
  return {
    message: () => Promise.race([once(child, 'message').then(([message]) => message), ended]),
    // With a callback: without one, a process that has ended is an 'error' event, which ends the whole run. That it has
    // ended is what message() tells.
    send: (message) => child.send(message, () => {}),
    kill: () => child.kill('SIGKILL'),
  };
}

module.exports = { startProcess };

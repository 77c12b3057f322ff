'use strict';

/** Runs a program of `__test__/process/programs` in a process of its own and returns how it ended. */

const { spawn } = require('node:child_process');
const path = require('node:path');

const PROGRAMS = path.join(__dirname, '..', 'process', 'programs');

/**
 * @param {string} name
 * @param {string[]} [args]
 * @param {{ env?: Record<string, string | undefined>, flags?: string[] }} [options] what differs from this process's
 *   environment; options of Node
 * @returns {Promise<{ code: number | null, signal: string | null, stdout: string, stderr: string }>}
 */
function runProgram(name, args = [], { env, flags = [] } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--expose-gc', ...flags, path.join(PROGRAMS, name), ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr']) {
      child[stream].setEncoding('utf8').on('data', (text) => {
        output[stream] += text;
      });
    }
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, ...output }));
  });
}

module.exports = { runProgram };

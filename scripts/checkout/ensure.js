'use strict';

/**
 * Makes a checkout ready to run: each of the documented commands works alone on a fresh clone, so each calls
 * this first. Only Node's own modules may be used here; nothing else is installed yet.
 */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const { buildAddon, builtAddon } = require('../../lib/native/build');

const ROOT = path.join(__dirname, '..', '..');

/**
 * Installs what a lock file asks for unless it is there already.
 * @param {string} [directory] that holds `package.json` and `package-lock.json`
 */
function ensureDependencies(directory = ROOT) {
  if (isInstalled(directory)) return;
  // `install` and not `ci`: a lock file written on one platform may lack the optional packages of another, which
  // `ci` refuses and `install` adds. Its warnings are about peers that want a newer Node than the oldest we test on.
  const status = npm(['install', '--no-audit', '--no-fund', '--loglevel=error'], directory);
  if (status !== 0) throw new Error(`npm install failed in ${directory} (exit code ${status})`);
}

/**
 * Builds the addon unless there is one from the sources as they are.
 * @param {object} [needs]
 * @param {boolean} [needs.release] do not accept a debug build
 */
async function ensureAddon({ release = false } = {}) {
  const built = builtAddon(ROOT);
  if (built?.fresh && (built.profile === 'release' || !release)) return;
  await buildAddon({ root: ROOT, profile: release ? 'release' : 'debug', log: (line) => console.error(line) });
}

/**
 * Runs a script of the checkout in its own process and ends with its exit code.
 * @param {string} script relative to the checkout
 * @param {string[]} args
 */
function runScript(script, args) {
  const { status } = spawnSync(process.execPath, [script, ...args], { cwd: ROOT, stdio: 'inherit' });
  process.exitCode = status ?? 1;
}

/** npm records what it installed; every package that the lock file requires must be in it, in that version. */
function isInstalled(directory) {
  const record = path.join(directory, 'node_modules', '.package-lock.json');
  if (!fs.existsSync(record)) return false;
  const installed = JSON.parse(fs.readFileSync(record, 'utf8')).packages;
  const locked = JSON.parse(fs.readFileSync(path.join(directory, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(locked)
    .filter(([name, { optional }]) => name !== '' && !optional)
    .every(([name, { version }]) => installed[name]?.version === version);
}

function npm(args, cwd) {
  const program = npmProgram();
  const { status, error } = spawnSync(program.command, [...program.args, ...args], {
    cwd,
    stdio: ['ignore', 2, 2],
    shell: program.shell,
  });
  if (error) throw new Error(`npm cannot be run: ${error.message}`, { cause: error });
  return status;
}

/** The npm that runs this script if there is one: it need not be on the PATH, and on Windows npm is a batch file. */
function npmProgram() {
  const script = process.env.npm_execpath ?? '';
  if (path.basename(script) === 'npm-cli.js') return { command: process.execPath, args: [script], shell: false };
  return { command: 'npm', args: [], shell: process.platform === 'win32' };
}

module.exports = { ROOT, ensureDependencies, ensureAddon, runScript };

'use strict';

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const FOLDER = path.join(__dirname, '..');
const ROOT = path.join(FOLDER, '..');

/** Installs the peers at the versions of the lock file, once. */
function installPeers() {
  if (fs.existsSync(path.join(FOLDER, 'node_modules', '.package-lock.json'))) return;
  console.error('installing the clients to compare with (benchmark/package.json)');
  // Not `npm ci`: npm leaves impit's addons for other platforms out of the lock file, and then refuses that file.
  // Quiet, because on Node 20 npm warns of the versions that are meant for a newer Node; their aliases run there.
  const npm = spawnSync('npm', ['install', '--loglevel=error'], {
    cwd: FOLDER,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (npm.status !== 0) throw new Error('the clients could not be installed: run `npm install` in benchmark/');
}

/**
 * Sees that what is measured is what a user gets: the optimised addon, built from the sources as they are.
 * @throws when it is not
 */
function requireReleaseAddon() {
  const { builtAddon } = require(path.join(ROOT, 'lib', 'native', 'build'));
  const addon = builtAddon(ROOT);
  const problem = !addon
    ? 'the native addon is not built'
    : addon.profile !== 'release'
      ? `the native addon is a ${addon.profile} build, which says nothing about speed`
      : addon.fresh
        ? undefined
        : 'the native addon is older than its sources';
  if (problem) throw new Error(`${problem}: run \`npm run build\`, or choose clients with --peers`);
}

module.exports = { installPeers, requireReleaseAddon };

'use strict';

const path = require('node:path');

const { builtAddon } = require('../../lib/native/build');
const { ROOT, ensureDependencies } = require('../../scripts/checkout/ensure');

/** Installs the peers at the versions of the lock file, where they are not installed yet. */
function installPeers() {
  ensureDependencies(path.join(__dirname, '..'));
}

/**
 * Sees that what is measured is what a user gets: the optimised addon, built from the sources as they are.
 * @throws when it is not
 */
function requireReleaseAddon() {
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

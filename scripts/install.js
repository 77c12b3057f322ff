'use strict';

/**
 * Runs when a user installs the package: nothing to do when the addon inside fits this platform, otherwise it is
 * built from the Rust sources if Rust is there. It never fails the user's installation; what could not be built
 * is reported by the first `require('unreset')`, which also serves package managers that skip install scripts.
 */

const fs = require('node:fs');
const path = require('node:path');

const { buildAddon } = require('../lib/native/build');
const { addonProblem } = require('../lib/native/check');
const { BUILD_COMMAND } = require('../lib/native/load');

const ROOT = path.join(__dirname, '..');

/** Not part of the package: where it is, a contributor installs the development dependencies. */
const isCheckout = fs.existsSync(path.join(__dirname, 'build.js'));

async function install() {
  if (isCheckout || !addonProblem(ROOT)) return;

  const log = (line) => process.stderr.write(`unreset: ${line}\n`);
  try {
    log('the package has no native addon that fits this platform');
    await buildAddon({ root: ROOT, clean: true, log });
  } catch (error) {
    // Whatever it was, even a disk that is full: the project being installed must not fail for it.
    log(`${error.message}\nunreset: not usable until its addon is built: ${BUILD_COMMAND}`);
  }
}

install();

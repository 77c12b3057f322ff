'use strict';

/** `unreset build`: for an installation that skipped the install script, or moved to another platform. */

const path = require('node:path');

const { buildAddon, BuildError } = require('../../native/build');

const ROOT = path.join(__dirname, '..', '..', '..');

const usage = `Usage: unreset build [--debug]

Builds the native addon for this platform from the Rust sources in the package and puts it where
require('unreset') looks for it. Needs Rust (https://rustup.rs) and a C compiler, and takes some minutes.

Options:
  --debug     build quickly, without optimisation
  -h, --help  show this
`;

async function run({ debug = false }) {
  const log = (line) => process.stderr.write(`unreset: ${line}\n`);
  try {
    await buildAddon({ root: ROOT, profile: debug ? 'debug' : 'release', clean: true, log });
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    log(error.message);
    return 1;
  }
  return 0;
}

module.exports = {
  summary: 'build the native addon from the Rust sources in the package',
  usage,
  options: { debug: { type: 'boolean' } },
  run,
};

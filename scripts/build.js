'use strict';

/**
 * `npm run build` and `npm run build:debug`: the addon for this machine, in `native/`.
 * The profile of the addon that is there stands in the small JSON file beside it.
 */

const path = require('node:path');
const { parseArgs } = require('node:util');

const { buildAddon, BuildError } = require('../lib/native/build');

const ROOT = path.join(__dirname, '..');

async function build() {
  const { values } = parseArgs({ options: { debug: { type: 'boolean', default: false } } });
  const log = (line) => console.error(`unreset: ${line}`);
  try {
    await buildAddon({ root: ROOT, profile: values.debug ? 'debug' : 'release', log });
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    log(error.message);
    process.exitCode = 1;
  }
}

build();

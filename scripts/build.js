'use strict';

/**
 * `npm run build` and `npm run build:debug`: the addon for this machine, in `native/`. The profile of the addon that
 * is there stands in the small JSON file beside it. With `--if-stale` it is left alone as long as the Rust sources have
 * not changed; but where an optimised one is asked for, a debug one is replaced.
 */

const { parseArgs } = require('node:util');

const { buildAddon, BuildError } = require('../lib/native/build');
const { ROOT, ensureAddon } = require('./checkout/ensure');

const OPTIONS = { debug: { type: 'boolean', default: false }, 'if-stale': { type: 'boolean', default: false } };

async function build() {
  const { values } = parseArgs({ options: OPTIONS });
  const log = (line) => console.error(`unreset: ${line}`);
  try {
    if (values['if-stale']) await ensureAddon({ release: !values.debug });
    else await buildAddon({ root: ROOT, profile: values.debug ? 'debug' : 'release', log });
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    log(error.message);
    process.exitCode = 1;
  }
}

build();

'use strict';

/** `npm run soak`: does anything stay behind? Arguments after `--` are passed on. */

const path = require('node:path');

const { ensureAddon, ensureDependencies, runScript } = require('./checkout/ensure');

async function soak(args) {
  ensureDependencies();
  // The property tests need none.
  if (!args.some((arg) => arg.startsWith('--fuzz'))) await ensureAddon({ release: true });
  runScript(path.join('benchmark', 'soak', 'run.js'), args);
}

soak(process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});

'use strict';

/** `npm run demo`: the examples against servers that really fail. Arguments after `--` are passed on. */

const path = require('node:path');

const { ensureAddon, ensureDependencies, runScript } = require('./checkout/ensure');

async function demo(args) {
  ensureDependencies();
  await ensureAddon();
  runScript(path.join('examples', 'run.js'), args);
}

demo(process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});

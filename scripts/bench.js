'use strict';

/** `npm run bench`: the benchmark, with its own dependencies. Arguments after `--` are passed on. */

const path = require('node:path');

const { ROOT, ensureAddon, ensureDependencies, runScript } = require('./checkout/ensure');

async function bench(args) {
  ensureDependencies(path.join(ROOT, 'benchmark'));
  // A debug build is several times slower: its figures would say nothing.
  await ensureAddon({ release: true });
  runScript(path.join('benchmark', 'run.js'), args);
}

bench(process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});

'use strict';

/**
 * `npm run bench`, `npm run bench:recovery`, `npm run bench:prevention`: a program of the benchmark, which has its own
 * dependencies. The first argument is its file in benchmark/; what comes after `--` is passed on.
 */

const path = require('node:path');

const { ROOT, ensureAddon, ensureDependencies, runScript } = require('./checkout/ensure');

async function bench(program, ...args) {
  ensureDependencies(path.join(ROOT, 'benchmark'));
  // A debug build is several times slower: its figures would say nothing.
  await ensureAddon({ release: true });
  runScript(path.join('benchmark', program), args);
}

bench(...process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});

'use strict';

/**
 * `npm test`: everything that is checked, in one command that works on a fresh clone. `npm test -- lint jest`
 * runs only the steps it names.
 */

const { CARGO_COUNTS, JEST_COUNTS } = require('./checkout/counts');
const { ROOT, ensureDependencies } = require('./checkout/ensure');
const { runStep, summary } = require('./checkout/steps');

/** A package's command is run by its path, without a shell. */
const node = (name, script, args, more) => ({ name, command: process.execPath, args: [script, ...args], ...more });
const cargo = (name, args, more) => ({ name, command: 'cargo', args, ...more });

/** @type {import('./checkout/steps').Step[]} */
const STEPS = [
  cargo('fmt', ['fmt', '--check']),
  cargo('clippy', ['clippy', '--all-targets', '--locked', '--', '-D', 'warnings']),
  cargo('rust', ['test', '--locked'], { counts: CARGO_COUNTS }),
  node('lint', 'node_modules/eslint/bin/eslint.js', ['--max-warnings=0', '.']),
  node('types', 'node_modules/typescript/bin/tsc', ['--project', 'tsconfig.json']),
  node('types-dom', 'node_modules/typescript/bin/tsc', ['--project', '__test__/types/dom']),
  node('addon', 'scripts/build.js', ['--debug', '--if-stale']),
  node('jest', 'node_modules/jest/bin/jest.js', [], { counts: JEST_COUNTS }),
];

async function test(names) {
  const unknown = names.filter((name) => !STEPS.some((step) => step.name === name));
  if (unknown.length > 0) {
    throw new Error(`no step is called ${unknown.join(', ')}; there are ${STEPS.map(({ name }) => name).join(', ')}`);
  }

  ensureDependencies();

  const results = [];
  for (const step of STEPS.filter(({ name }) => names.length === 0 || wanted(name, names))) {
    results.push(await runStep(step, ROOT));
  }
  console.log(summary(results));
  process.exitCode = results.some(({ failed }) => failed > 0) ? 1 : 0;
}

/** Jest needs the addon, and so the step that builds it. */
function wanted(name, names) {
  return names.includes(name) || (name === 'addon' && names.includes('jest'));
}

test(process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  console.log('0 passed, 1 failed');
  process.exitCode = 1;
});

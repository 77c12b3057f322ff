'use strict';

/**
 * Runs the steps of `npm test` one after the other and counts the tests in each. A step that fails does not stop
 * the ones after it: one run shows everything that is broken.
 */

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { stripVTControlCharacters } = require('node:util');

/**
 * @typedef {object} Step
 * @property {string} name
 * @property {string} command
 * @property {string[]} args
 * @property {RegExp} [counts] matches each line of the output that counts tests, with groups `passed` and `failed`;
 *   a step without it is one test
 */

/**
 * @typedef {object} Result
 * @property {string} name
 * @property {number} passed
 * @property {number} failed
 * @property {number} seconds
 */

/**
 * @param {Step} step
 * @param {string} cwd
 * @returns {Promise<Result>}
 */
async function runStep({ name, command, args, counts }, cwd) {
  console.log(`\n== ${name}: ${[command, ...args].join(' ')}`);
  const start = performance.now();
  const { output, succeeded } = await runShown(command, args, cwd);
  const seconds = (performance.now() - start) / 1000;

  const { passed, failed } = counts ? countIn(output, counts) : { passed: succeeded ? 1 : 0, failed: 0 };
  // A failure that no test accounts for: it did not compile, it crashed, or it ran no test at all.
  const unaccounted = failed === 0 && (!succeeded || passed === 0);
  return { name, passed, failed: unaccounted ? 1 : failed, seconds };
}

/**
 * @param {Result[]} results
 * @returns {string} a table, and a last line with the totals
 */
function summary(results) {
  const rows = results.map(({ name, passed, failed, seconds }) =>
    `${failed ? 'FAIL' : 'ok  '}  ${name.padEnd(9)}  ${`${seconds.toFixed(1)} s`.padStart(8)}  ` +
    `${passed} passed, ${failed} failed`);
  const total = (key) => results.reduce((sum, result) => sum + result[key], 0);
  return `\n${rows.join('\n')}\n\n${total('passed')} passed, ${total('failed')} failed`;
}

function countIn(output, pattern) {
  const totals = { passed: 0, failed: 0 };
  for (const { groups } of output.matchAll(new RegExp(pattern, 'gm'))) {
    totals.passed += Number(groups.passed ?? 0);
    totals.failed += Number(groups.failed ?? 0);
  }
  return totals;
}

/** Runs a program whose output is shown as it comes and returned without colours. */
async function runShown(command, args, cwd) {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const texts = [];
  for (const [from, to] of [[child.stdout, process.stdout], [child.stderr, process.stderr]]) {
    from.setEncoding('utf8').on('data', (text) => {
      texts.push(text);
      to.write(text);
    });
  }
  try {
    const [status] = await once(child, 'close');
    return { output: stripVTControlCharacters(texts.join('')), succeeded: status === 0 };
  } catch (error) {
    console.error(`${command} cannot be run: ${error.message}`);
    return { output: '', succeeded: false };
  }
}

module.exports = { runStep, summary };

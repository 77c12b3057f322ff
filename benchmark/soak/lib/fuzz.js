'use strict';

/** The property tests of the Rust half, with more cases than an ordinary test run has time for. */

const { spawnSync } = require('node:child_process');

const { ROOT } = require('../../../scripts/checkout/ensure');

/**
 * In a debug build, on purpose: there an overflow is a panic.
 *
 * @param {number} cases of each property
 * @returns {number} the exit code
 */
function fuzz(cases) {
  const { status, error } = spawnSync('cargo', ['test', '--lib', '--locked'], {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, PROPTEST_CASES: String(cases) },
  });
  if (error) throw new Error(`cargo cannot be run: ${error.message}`, { cause: error });
  return status ?? 1;
}

module.exports = { fuzz };

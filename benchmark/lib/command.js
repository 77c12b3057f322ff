'use strict';

/** What the programs of this folder that write a record have in common. */

const { UsageError } = require('./arguments');
const { describeCommit } = require('./machine');

/**
 * Runs a program with its options, or says how it is used.
 *
 * @template T
 * @param {string} name
 * @param {{ readOptions: (given: string[]) => T & { help?: boolean }, USAGE: string }} options
 * @param {(options: T) => Promise<void>} run
 */
async function runCommand(name, { readOptions, USAGE }, run) {
  try {
    const options = readOptions(process.argv.slice(2));
    if (options.help) console.log(USAGE);
    else await run(options);
  } catch (error) {
    console.error(error instanceof UsageError ? `${error.message}\n\n${USAGE}` : `${name}: ${error.stack}`);
    process.exitCode = 1;
  }
}

/** With what a record begins: when, on what, and whether it may stand for a release. */
function beginRecord(options, { failures }, machine, node = process.versions.node) {
  return {
    date: new Date().toISOString(),
    complete: options.record && failures.length === 0,
    node,
    ...describeCommit(),
    machine,
  };
}

module.exports = { runCommand, beginRecord };

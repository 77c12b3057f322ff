'use strict';

const { parseArgs } = require('node:util');

/** The command line is wrong; the message says how. */
class UsageError extends Error {}

/**
 * @param {string[]} args
 * @param {import('node:util').ParseArgsConfig['options']} options
 * @throws {UsageError}
 */
function parseArguments(args, options) {
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new UsageError(error.message);
  }
}

/**
 * @param {string} option its name, for the message
 * @param {string | undefined} list as given, separated by commas
 * @param {string[]} known all there are, which is what no list means
 * @throws {UsageError}
 */
function choose(option, list, known) {
  if (list === undefined) return known;
  const chosen = list.split(',');
  const stranger = chosen.find((name) => !known.includes(name));
  if (stranger !== undefined) throw new UsageError(`${option}: "${stranger}" is none of ${known.join(', ')}`);
  return chosen;
}

module.exports = { parseArguments, choose, UsageError };

'use strict';

const { pairs } = require('./pairs');
const { choose, parseArguments } = require('../lib/arguments');

/** Enough calls in a block for a collection of garbage in each, enough blocks for a difference of one in a hundred. */
const RECORD = { inFlight: 10, blocks: 60, calls: 2_000 };
const QUICK = { inFlight: 10, blocks: 3, calls: 200 };

const USAGE = `Usage: npm run bench:wrappers -- [options]

  --pairs a,b    only these clients: ${Object.keys(pairs).join(', ')}
  --quick        few calls: does everything run?
  --help
`;

/**
 * @param {string[]} args
 * @returns {{ help: boolean, pairs: string[], inFlight: number, blocks: number, calls: number, record: boolean }} `record`:
 *   every pair, in full
 * @throws {import('../lib/arguments').UsageError}
 */
function readOptions(args) {
  const values = parseArguments(args, {
    pairs: { type: 'string' },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  return {
    help: values.help,
    pairs: choose('--pairs', values.pairs, Object.keys(pairs)),
    ...(values.quick ? QUICK : RECORD),
    record: !values.quick && !values.pairs,
  };
}

module.exports = { readOptions, USAGE };

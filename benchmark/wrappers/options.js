'use strict';

const { pairs } = require('./pairs');
const { UsageError, choose, parseArguments } = require('../lib/arguments');

/** Where the answers come from: see memory.js, and the server of the other benchmarks. */
const TRANSPORTS = Object.freeze(['memory', 'loopback']);

/**
 * Calls enough to be compiled before anything counts; blocks that are short beside what a machine does meanwhile, and long
 * enough for a few collections of young garbage in each; processes enough to see what differs between two of a kind.
 */
const RECORD = { inFlight: 10, warmUp: 6_000, calls: 300, rounds: 16, sets: 9 };
const QUICK = { inFlight: 10, warmUp: 200, calls: 100, rounds: 2, sets: 1 };

const USAGE = `Usage: npm run bench:wrappers -- [options]

  --pairs a,b          only these clients: ${Object.keys(pairs).join(', ')}
  --transports a,b     only these: ${TRANSPORTS.join(', ')}
  --sets n             sets of processes; ${RECORD.sets} unless said otherwise
  --quick              few calls: does everything run?
  --help
`;

/**
 * @param {string[]} args
 * @returns {{ help: boolean, pairs: string[], transports: string[], plan: typeof RECORD, record: boolean }} `record`: every
 *   pair over every transport, in full
 * @throws {import('../lib/arguments').UsageError}
 */
function readOptions(args) {
  const values = parseArguments(args, {
    pairs: { type: 'string' },
    transports: { type: 'string' },
    sets: { type: 'string' },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  const plan = values.quick ? QUICK : RECORD;
  return {
    help: values.help,
    pairs: choose('--pairs', values.pairs, Object.keys(pairs)),
    transports: choose('--transports', values.transports, TRANSPORTS),
    plan: values.sets === undefined ? plan : { ...plan, sets: countOf('--sets', values.sets) },
    record: !values.quick && !values.pairs && !values.transports && !values.sets,
  };
}

function countOf(option, value) {
  const count = Number(value);
  if (!Number.isInteger(count) || count < 1) throw new UsageError(`${option}: a whole number from 1 on, not "${value}"`);
  return count;
}

module.exports = { readOptions, USAGE };

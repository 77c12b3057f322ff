'use strict';

const { cases } = require('./cases');
const { UsageError, choose, parseArguments } = require('../lib/arguments');

/** Short rounds and many of them: neighbours in time meet the same weather. Times in ms. */
const RECORD = { rounds: 9, warmUp: 500, window: 1500, returns: 100 };
const QUICK = { rounds: 1, warmUp: 200, window: 300, returns: 10 };

const USAGE = `Usage: npm run bench:socket -- [options]

  --cases a,b    only these: ${Object.keys(cases).join(', ')}
  --rounds n     times each is measured (${RECORD.rounds})
  --threads      which thread took what, of each peer (Linux)
  --quick        does everything run?
  --help
`;

/**
 * @param {string[]} args
 * @returns {{ help: boolean, cases: string[], rounds: number, warmUp: number, window: number, returns: number,
 *   threads: boolean, record: boolean }} `returns`: how often a measurement comes back; `record`: every case, in full
 * @throws {UsageError}
 */
function readOptions(args) {
  const values = parseArguments(args, {
    cases: { type: 'string' },
    rounds: { type: 'string' },
    threads: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  const usual = values.quick ? QUICK : RECORD;
  const rounds = Number(values.rounds ?? usual.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new UsageError(`--rounds: "${values.rounds}" is no number of rounds`);
  return {
    ...usual,
    rounds,
    help: values.help,
    threads: values.threads,
    cases: choose('--cases', values.cases, Object.keys(cases)),
    record: !values.quick && !values.cases && rounds >= RECORD.rounds,
  };
}

module.exports = { readOptions, USAGE };

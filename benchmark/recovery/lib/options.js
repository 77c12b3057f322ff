'use strict';

const { peerNames } = require('./peers');
const { scriptNames } = require('./scripts');
const { choose, parseArguments, UsageError } = require('../../lib/arguments');

/** Any number would do; a record is made with this one, so that nobody can have looked for a lucky one. */
const SEED = 7;

const USAGE = `Usage: npm run bench:recovery -- [options]

  --peers a,b     only these clients: ${peerNames().join(', ')}
  --scripts a,b   only these scripts: ${scriptNames().join(', ')}
  --seed n        of what is struck, and of the bodies (${SEED})
  --quick         a fifth of each script: does everything run?
  --help
`;

/**
 * @param {string[]} args
 * @returns {{ help: boolean, peers: string[], scripts: string[], seed: number, quick: boolean, record: boolean }}
 *   `record`: every client plays every script, in full, with the seed of the records
 * @throws {UsageError}
 */
function readOptions(args) {
  const values = parseArguments(args, {
    peers: { type: 'string' },
    scripts: { type: 'string' },
    seed: { type: 'string', default: String(SEED) },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  const seed = Number(values.seed);
  if (!Number.isSafeInteger(seed) || seed < 0) throw new UsageError('--seed takes a whole number from 0 on');
  return {
    help: values.help,
    peers: choose('--peers', values.peers, peerNames()),
    scripts: choose('--scripts', values.scripts, scriptNames()),
    seed,
    quick: values.quick,
    record: !values.quick && !values.peers && !values.scripts && seed === SEED,
  };
}

module.exports = { readOptions, USAGE };

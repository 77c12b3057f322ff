'use strict';

const { choose, parseArguments, UsageError } = require('../lib/arguments');

const MIB = 1024 * 1024;
/** Bytes: as long as a good client needs for a quarter of a second. */
const FILE_SIZE = 512 * MIB;

/** What the server does, by name. */
const CASES = Object.freeze({ 'no faults': '/file', 'reset every 10 MiB': `/reset/${10 * MIB}` });

const PEERS = Object.freeze(['unreset download', 'fetch', 'got.stream']);

/** Transfers of each measurement, the first of which is not counted. */
const RECORD = { rounds: 5, transfers: 5 };
const QUICK = { rounds: 1, transfers: 2 };

const USAGE = `Usage: npm run bench:streams -- [options]

  --peers a,b    only these clients: ${PEERS.join(', ')}
  --cases a,b    only these cases: ${Object.keys(CASES).join(', ')}
  --rounds n     rounds over all clients and cases (${RECORD.rounds})
  --quick        few transfers: does everything run?
  --help
`;

/**
 * @param {string[]} args
 * @returns {{ help: boolean, peers: string[], cases: string[], rounds: number, transfers: number, record: boolean }}
 *   `record`: everything, in full
 * @throws {UsageError}
 */
function readOptions(args) {
  const values = parseArguments(args, {
    peers: { type: 'string' },
    cases: { type: 'string' },
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  const usual = values.quick ? QUICK : RECORD;
  const rounds = values.rounds === undefined ? usual.rounds : Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new UsageError('--rounds takes a number from 1 on');
  return {
    help: values.help,
    peers: choose('--peers', values.peers, PEERS),
    cases: choose('--cases', values.cases, Object.keys(CASES)),
    rounds,
    transfers: usual.transfers,
    record: !values.quick && !values.peers && !values.cases && rounds >= RECORD.rounds,
  };
}

module.exports = { readOptions, CASES, FILE_SIZE, MIB, USAGE };

'use strict';

const { cases } = require('../cases');
const { choose, parseArguments, UsageError } = require('./arguments');
const { peerNames } = require('./peers');

/**
 * What a record is made with, times in ms. The warm-up goes by calls, because that is what the compiler counts:
 * by time alone, slow clients would be measured half compiled. The built-in fetch, the last to settle, is at its
 * pace after about 10 000 calls.
 */
const RECORD = { rounds: 5, warmUp: { calls: 10_000, atLeast: 1000, atMost: 4000 }, window: 2000 };
/** Enough to see that everything runs; the figures mean nothing. */
const QUICK = { rounds: 1, warmUp: { calls: 100, atLeast: 100, atMost: 1000 }, window: 500 };

const USAGE = `Usage: npm run bench -- [options]

  --peers a,b    only these clients: ${peerNames().join(', ')}
  --cases a,b    only these cases: ${Object.keys(cases).join(', ')}
  --rounds n     rounds over all clients and cases (${RECORD.rounds})
  --node path    the Node to measure (the one that runs this)
  --quick        one short round: does everything run?
  --help
`;

/**
 * @param {string[]} args
 * @returns {{ help: boolean, peers: string[], cases: string[], rounds: number, window: number, node: string,
 *   warmUp: { calls: number, atLeast: number, atMost: number }, record: boolean }} `record`: everything is
 *   measured, in full
 * @throws {UsageError}
 */
function readOptions(args) {
  const values = parseArguments(args, {
    peers: { type: 'string' },
    cases: { type: 'string' },
    rounds: { type: 'string' },
    node: { type: 'string', default: process.execPath },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  const times = values.quick ? QUICK : RECORD;
  const rounds = values.rounds === undefined ? times.rounds : Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new UsageError('--rounds takes a number from 1 on');
  const peers = choose('--peers', values.peers, peerNames());
  const chosenCases = choose('--cases', values.cases, Object.keys(cases));
  return {
    help: values.help,
    peers,
    cases: chosenCases,
    rounds,
    warmUp: times.warmUp,
    window: times.window,
    node: values.node,
    record: !values.quick && !values.peers && !values.cases && rounds >= RECORD.rounds,
  };
}

module.exports = { readOptions, UsageError, USAGE };

'use strict';

const { cases, PEERS } = require('./cases');
const { UsageError, choose, parseArguments } = require('../lib/arguments');

/** Short rounds and many of them: neighbours in time meet the same weather. Times in ms. */
const RECORD = { rounds: 7, warmUp: 300, window: 1000 };
const QUICK = { rounds: 1, warmUp: 200, window: 300 };

const USAGE = `Usage: npm run bench:websocket -- [options]

  --cases a,b    only these: ${Object.keys(cases).join(', ')}
  --peers a,b    only these: ${PEERS.join(', ')}
  --rounds n     times each is measured (${RECORD.rounds})
  --node path    the Node that is measured (this one); the built-in WebSocket needs 22
  --quick        does everything run?
  --help
`;

/**
 * @param {string[]} args
 * @returns {{ help: boolean, cases: string[], peers: string[], rounds: number, warmUp: number, window: number, node: string,
 *   record: boolean }} `record`: everything, in full
 * @throws {UsageError}
 */
function readOptions(args) {
  const values = parseArguments(args, {
    cases: { type: 'string' },
    peers: { type: 'string' },
    rounds: { type: 'string' },
    node: { type: 'string' },
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
    node: values.node ?? process.execPath,
    cases: choose('--cases', values.cases, Object.keys(cases)),
    peers: choose('--peers', values.peers, PEERS),
    record: !values.quick && !values.cases && !values.peers && rounds >= RECORD.rounds,
  };
}

module.exports = { readOptions, USAGE };

'use strict';

const { peerNames } = require('./peers');
const { QUICK, RECORD, SERVERS } = require('./plan');
const { choose, parseArguments } = require('../../lib/arguments');

const USAGE = `Usage: npm run bench:prevention -- [options]

  --peers a,b     only these clients: ${peerNames().join(', ')}
  --servers a,b   only these servers: ${Object.keys(SERVERS).join(', ')}
  --quick         a few of the pauses: does everything run?
  --help
`;

/**
 * @param {string[]} args
 * @returns {{ help: boolean, peers: string[], servers: string[], extent: import('./plan').Extent, atOnce: number,
 *   record: boolean }} `atOnce`: servers that a client meets at the same time; `record`: every client meets every
 *   server, in full
 * @throws {import('../../lib/arguments').UsageError}
 */
function readOptions(args) {
  const values = parseArguments(args, {
    peers: { type: 'string' },
    servers: { type: 'string' },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  return {
    help: values.help,
    peers: choose('--peers', values.peers, peerNames()),
    servers: choose('--servers', values.servers, Object.keys(SERVERS)),
    extent: values.quick ? QUICK : RECORD,
    atOnce: values.quick ? Object.keys(SERVERS).length : 1,
    record: !values.quick && !values.peers && !values.servers,
  };
}

module.exports = { readOptions, USAGE };

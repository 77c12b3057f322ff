'use strict';

/**
 * `npm run bench:websocket`: our `WebSocket` beside `ws` and the built-in one. ../README.md says what the figures mean.
 *
 * Each measurement is a process of its own and short; the peers take turns within each round and begin it in turns, so
 * what disturbs the machine disturbs all alike.
 */

const path = require('node:path');
const { execFile, fork } = require('node:child_process');
const { once } = require('node:events');
const { promisify } = require('node:util');

const { cases } = require('./cases');
const commandLine = require('./options');
const { runCommand, beginRecord } = require('../lib/command');
const { ownEnvironment } = require('../lib/environment');
const { describeMachine, nodeVersion } = require('../lib/machine');
const { requireReleaseAddon } = require('../lib/preconditions');
const { writeResults } = require('../lib/results');
const { measureInRounds } = require('../lib/rounds');
const { sideBySide } = require('../lib/sideBySide');
const { number, percent } = require('../lib/table');

const COLUMNS = [
  ['/s', 'rate', number(0)],
  ['loop us', 'loop', number(2)],
  ['cpu us', 'cpu', number(2)],
  ['server', 'server', percent],
  ['KiB', 'memory', number(1)],
  ['of it heap', 'heap', number(1)],
];
/** Of which figures a ratio says something. */
const COMPARED = ['rate', 'loop', 'cpu', 'memory'];

/** The first Node with a WebSocket of its own. */
const BUILT_IN = 22;

/** @param {ReturnType<typeof commandLine.readOptions>} options */
async function bench(options) {
  requireReleaseAddon();
  const machine = describeMachine();
  const node = nodeVersion(options.node);
  const peers = options.peers.filter((peer) => peer !== 'built-in' || parseInt(node, 10) >= BUILT_IN);
  const server = fork(path.join(__dirname, 'server.js'), { env: ownEnvironment() });
  const [ports] = await once(server, 'message');
  const plan = { ...options, peersOf: (name) => cases[name].peers.filter((peer) => peers.includes(peer)) };
  const results = await measureInRounds(plan, (turn) => measure({ ...options, ...turn, ports, serverPid: server.pid }))
    .finally(() => server.disconnect());
  const { rounds, warmUp, window } = options;
  const versions = { ws: require('ws/package.json').version, unreset: require('../../package.json').version };
  const record = { ...beginRecord(options, results, machine, node), rounds, warmUp, windowMs: window, versions, ...results };
  console.log(sideBySide({ cases, columns: COLUMNS, compared: COMPARED }, options.cases, results.measurements));
  console.log(`\nwritten to ${writeResults(record, 'websocket')}`);
  if (results.failures.length > 0) process.exitCode = 1;
}

async function measure(job) {
  const { stdout } = await promisify(execFile)(
    job.node,
    ['--expose-gc', path.join(__dirname, 'client.js'), JSON.stringify(job)],
    { env: ownEnvironment(), timeout: 120_000 },
  );
  return JSON.parse(stdout);
}

runCommand('bench:websocket', commandLine, bench);

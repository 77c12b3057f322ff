'use strict';

/**
 * `npm run bench:socket`: our `Socket` beside `net.Socket`, and how long it takes to be back after a reset. ../README.md says
 * what the figures mean.
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
const { report, threadReport } = require('./report');
const { runCommand, beginRecord } = require('../lib/command');
const { ownEnvironment } = require('../lib/environment');
const { describeMachine } = require('../lib/machine');
const { installPeers, requireReleaseAddon } = require('../lib/preconditions');
const { writeResults } = require('../lib/results');
const { measureInRounds } = require('../lib/rounds');

/** @param {ReturnType<typeof commandLine.readOptions>} options */
async function bench(options) {
  installPeers();
  requireReleaseAddon();
  const machine = describeMachine();
  const server = fork(path.join(__dirname, 'server.js'), { env: ownEnvironment() });
  const [port] = await once(server, 'message');
  const plan = { ...options, peersOf: (name) => cases[name].peers };
  const results = await measureInRounds(plan, (turn) => measure({ ...options, ...turn, port, serverPid: server.pid }))
    .finally(() => server.disconnect());
  const { rounds, warmUp, window, returns } = options;
  const threads = results.measurements.map(({ threads: used, ...measurement }) => ({ ...measurement, used }));
  const measurements = results.measurements.map(({ round, case: name, peer, figures }) => ({ round, case: name, peer, figures }));
  const record = { ...beginRecord(options, results, machine), rounds, warmUp, windowMs: window, returns, ...results, measurements };
  console.log(report(options.cases, measurements));
  if (options.threads) console.log(`\n${threadReport(options.cases, threads)}`);
  console.log(`\nwritten to ${writeResults(record, 'socket')}`);
  if (results.failures.length > 0) process.exitCode = 1;
}

async function measure(job) {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [path.join(__dirname, 'client.js'), JSON.stringify(job)],
    { env: ownEnvironment(), timeout: 120_000 },
  );
  return JSON.parse(stdout);
}

runCommand('bench:socket', commandLine, bench);

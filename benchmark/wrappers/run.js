'use strict';

/**
 * `npm run bench:wrappers`: what a wrapped call that succeeds costs the event loop over the same call of the bare client.
 * ../README.md says how it is measured.
 */

const { spawnSync } = require('node:child_process');
const path = require('node:path');

const commandLine = require('./options');
const { runCommand, beginRecord } = require('../lib/command');
const { ownEnvironment } = require('../lib/environment');
const { describeMachine } = require('../lib/machine');
const { installPeers, requireReleaseAddon } = require('../lib/preconditions');
const { writeResults } = require('../lib/results');
const { buildServer, startServer } = require('../lib/server');

/** Microseconds of event-loop time that a wrapper may cost. */
const AT_MOST = 5;

/** @param {ReturnType<typeof commandLine.readOptions>} options */
async function bench(options) {
  installPeers();
  requireReleaseAddon();
  const machine = describeMachine();
  const server = await startServer(buildServer());
  const results = { failures: [], measurements: [] };
  try {
    for (const pair of options.pairs) note(results, pair, measure(pair, server, options));
  } finally {
    await server.stop();
  }
  const { inFlight, blocks, calls } = options;
  const record = { ...beginRecord(options, results, machine), inFlight, blocks, calls, atMostUs: AT_MOST, ...results };
  console.log(report(results.measurements));
  console.log(`\nwritten to ${writeResults(record, 'wrappers')}`);
  if (results.failures.length > 0) process.exitCode = 1;
}

/** In a process of its own, which this one waits for: nothing else is to run. */
function measure(pair, { origin, pid: serverPid }, { inFlight, blocks, calls }) {
  const job = { pair, url: `${origin}/json`, serverPid, inFlight, blocks, calls };
  const child = spawnSync(process.execPath, [path.join(__dirname, 'client.js'), JSON.stringify(job)], {
    env: ownEnvironment(),
    encoding: 'utf8',
  });
  return child.status === 0 ? JSON.parse(child.stdout) : { failed: child.stderr.trim() || `ended by ${child.signal}` };
}

function note(results, pair, { failed, version, loopSource, rounds }) {
  if (failed) {
    console.error(`${pair}: FAILED\n${failed}`);
    results.failures.push({ pair, reason: failed });
    return;
  }
  const figures = {
    bare: quantile(rounds.map(({ bare }) => bare), 0.5),
    wrapped: quantile(rounds.map(({ wrapped }) => wrapped), 0.5),
    ...spread(rounds.map(({ bare, wrapped }) => wrapped - bare)),
  };
  console.error(`${pair}: ${figures.cost.toFixed(1)} us`);
  results.loopSource = loopSource;
  results.measurements.push({ pair, version, figures });
}

/** Neighbours in time are compared, and of the differences the middle one counts. */
function spread(differences) {
  return { cost: quantile(differences, 0.5), low: quantile(differences, 0.25), high: quantile(differences, 0.75) };
}

function quantile(values, part) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
}

function report(measurements) {
  const lines = measurements.map(({ pair, version, figures: { bare, wrapped, cost, low, high } }) => [
    `${pair} ${version}`.padEnd(34),
    ...[bare, wrapped, cost, low, high].map((figure) => figure.toFixed(1).padStart(9)),
    cost <= AT_MOST ? '   reached' : '   MISSED',
  ].join(''));
  const head = `${'event loop, us per call'.padEnd(34)}     bare  wrapped     cost      25%      75%   wanted: at most ${AT_MOST}`;
  return [head, ...lines].join('\n');
}

runCommand('bench:wrappers', commandLine, bench);

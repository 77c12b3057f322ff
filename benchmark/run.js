'use strict';

/**
 * `npm run bench`: every peer in every case, side by side in one run. README.md says what the figures mean.
 *
 * Each measurement runs in a process of its own (client.js), one after the other; the peers take turns within
 * each round and start with another one each time, so what disturbs the machine disturbs all alike.
 */

const { runCommand, beginRecord } = require('./lib/command');
const { describeMachine, nodeVersion } = require('./lib/machine');
const { runMeasurement } = require('./lib/measurement');
const commandLine = require('./lib/options');
const { takesPart } = require('./lib/peers');
const { installPeers, requireReleaseAddon } = require('./lib/preconditions');
const { report } = require('./lib/report');
const { writeResults } = require('./lib/results');
const { buildServer, startServer } = require('./lib/server');
const { ratio, summarize } = require('./lib/summary');
const { targets } = require('./targets');

/** @param {ReturnType<typeof commandLine.readOptions>} options */
async function bench(options) {
  installPeers();
  if (options.peers.some((peer) => peer.startsWith('unreset'))) requireReleaseAddon();
  const node = nodeVersion(options.node);
  const machine = describeMachine();
  const program = buildServer();

  const server = await startServer(program);
  const results = await measureAll(options, server).finally(() => server.stop());
  const record = {
    ...beginRecord(options, results, machine, node),
    rounds: options.rounds,
    warmUp: options.warmUp,
    windowMs: options.window,
    peers: options.peers,
    cases: options.cases,
    ...results,
    medians: medians(options, results.measurements),
    targets: compareWithTargets(Number(node.split('.')[0]), results.measurements),
  };
  console.log(`Node ${node}, ${record.machine.cores} x ${record.machine.processor}, ${record.machine.kernel}\n`);
  console.log(report(record));
  console.log(`\nwritten to ${writeResults(record)}`);
  if (results.failures.length > 0) process.exitCode = 1;
}

/** All rounds. A peer that fails once in a case is left out of the rest of that case. */
async function measureAll(options, server) {
  const results = { versions: {}, loopSource: undefined, failures: [], measurements: [] };
  const hasFailed = (peer, caseName) => results.failures.some((one) => one.peer === peer && one.case === caseName);
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const caseName of options.cases) {
      for (const peer of rotate(options.peers, round - 1)) {
        if (!takesPart(peer, caseName) || hasFailed(peer, caseName)) continue;
        const { origin, tlsOrigin, authority, pid: serverPid } = server;
        const { warmUp, window } = options;
        const job = { peer, case: caseName, origin, tlsOrigin, serverPid, warmUp, window };
        const result = await runMeasurement(options.node, job, authority);
        const progress = `round ${round} of ${options.rounds}, ${caseName}, ${peer}`;
        if (result.failed) {
          console.error(`${progress}: FAILED`);
          results.failures.push({ peer, case: caseName, reason: result.failed });
          continue;
        }
        console.error(`${progress}: ${Math.round(result.figures.rate)}/s`);
        results.versions[peer] = result.version;
        results.loopSource = result.loopSource;
        results.measurements.push({ round, case: caseName, peer, figures: result.figures });
      }
    }
  }
  return results;
}

function medians(options, measurements) {
  const ofCase = (caseName) =>
    Object.fromEntries(options.peers.map((peer) => [peer, summarize(measurements, caseName, peer)]));
  return Object.fromEntries(options.cases.map((caseName) => [caseName, ofCase(caseName)]));
}

/** The targets for which this run has both peers, with the ratio found. */
function compareWithTargets(nodeMajor, measurements) {
  return targets(nodeMajor).flatMap((target) => {
    const found = ratio(measurements, target);
    if (!found) return [];
    const { atLeast = 0, atMost = Infinity } = target;
    return [{ ...target, ...found, reached: found.median >= atLeast && found.median <= atMost }];
  });
}

function rotate(list, by) {
  const start = by % list.length;
  return [...list.slice(start), ...list.slice(0, start)];
}

runCommand('bench', commandLine, bench);

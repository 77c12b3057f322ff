'use strict';

/**
 * `npm run bench:prevention`: every client sends POSTs to servers that are closing idle connections. ../README.md says
 * what the figures mean.
 */

const { measure } = require('./lib/measurement');
const commandLine = require('./lib/options');
const { BURST, LATENCY } = require('./lib/plan');
const { report } = require('./lib/report');
const { runCommand, beginRecord } = require('../lib/command');
const { describeMachine } = require('../lib/machine');
const { installPeers, requireReleaseAddon } = require('../lib/preconditions');
const { writeResults } = require('../lib/results');

/** @param {ReturnType<typeof commandLine.readOptions>} options */
async function bench(options) {
  installPeers();
  requireReleaseAddon();
  const machine = describeMachine();
  const begun = performance.now();
  const results = await measureAll(options);
  const record = {
    ...beginRecord(options, results, machine),
    latencyMs: LATENCY,
    burst: BURST,
    extent: options.extent,
    minutes: (performance.now() - begun) / 60_000,
    peers: options.peers,
    servers: options.servers,
    ...results,
  };
  console.log(report(record));
  console.log(`\nwritten to ${writeResults(record, 'prevention')}`);
  if (results.failures.length > 0) process.exitCode = 1;
}

async function measureAll({ peers, servers, extent, atOnce }) {
  const results = { versions: {}, failures: [], measurements: [] };
  for (let from = 0; from < servers.length; from += atOnce) {
    for (const peer of peers) {
      const batch = servers.slice(from, from + atOnce);
      const found = await Promise.all(batch.map((server) => measure(peer, server, extent)));
      batch.forEach((server, index) => note(results, { peer, server, ...found[index] }));
    }
  }
  return results;
}

function note(results, { peer, server, failed, version, score }) {
  console.error(`${server}, ${peer}: ${failed ? 'FAILED' : `${score.failed} of ${score.posts} failed`}`);
  if (failed) {
    results.failures.push({ server, peer, reason: failed });
  } else {
    results.versions[peer] = version;
    results.measurements.push({ server, peer, ...score });
  }
}

runCommand('bench:prevention', commandLine, bench);

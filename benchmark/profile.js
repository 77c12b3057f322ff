'use strict';

/**
 * `node benchmark/profile.js --peers unreset,undici-request --cases 64k-50`: where the processor time of a call goes,
 * thread by thread. It is a place to begin: docs/performance.md says how to look further. Linux only.
 *
 * Processor time per call is also what can be compared while the machine does other things: rates cannot.
 */

const { runMeasurement } = require('./lib/measurement');
const { readOptions, UsageError } = require('./lib/options');
const { takesPart } = require('./lib/peers');
const { installPeers, requireReleaseAddon } = require('./lib/preconditions');
const { buildServer, startServer } = require('./lib/server');
const { median } = require('./lib/summary');
const { number, table } = require('./lib/table');

const HEADER = ['thread', 'cpu us', 'of it system', 'page faults', 'waits'];

async function profile() {
  const options = readOptions(process.argv.slice(2));
  installPeers();
  if (options.peers.some((peer) => peer.startsWith('unreset'))) requireReleaseAddon();
  const server = await startServer(buildServer());
  try {
    for (const caseName of options.cases) {
      for (const peer of options.peers.filter((name) => takesPart(name, caseName))) {
        const rounds = [];
        for (let round = 0; round < options.rounds; round += 1) rounds.push(await measure(options, server, peer, caseName));
        console.log(`${report(peer, caseName, rounds)}\n`);
      }
    }
  } finally {
    await server.stop();
  }
}

async function measure({ node, warmUp, window }, server, peer, caseName) {
  const { origin, tlsOrigin, authority, pid: serverPid } = server;
  const job = { peer, case: caseName, origin, tlsOrigin, serverPid, warmUp, window, threads: true };
  const result = await runMeasurement(node, job, authority);
  if (result.failed) throw new Error(`${caseName}, ${peer}: ${result.failed}`);
  return result;
}

/** Medians over the rounds: a thread that was only there in some counts where it was. */
function report(peer, caseName, rounds) {
  const names = [...new Set(rounds.flatMap(({ threads }) => Object.keys(threads)))];
  const uses = names.map((name) => {
    const found = rounds.map(({ threads }) => threads[name]).filter(Boolean);
    return { name, ...medians(found) };
  });
  const { rate, cpu, server } = medians(rounds.map(({ figures }) => figures));
  const rows = uses
    .filter((use) => use.cpu >= 0.1)
    .sort((a, b) => b.cpu - a.cpu)
    .map((use) => [use.name, ...[use.cpu, use.system].map(number(1)), ...[use.faults, use.waits].map(number(2))]);
  const ofServer = number(1)((server * 1e6) / rate);
  const title = `${peer}, ${caseName}: ${number(0)(rate)} calls/s, ${number(1)(cpu)} us each, and ${ofServer} of the server`;
  return `${title}\n${table([HEADER, ...rows])}`;
}

const medians = (records) =>
  Object.fromEntries(Object.keys(records[0]).map((key) => [key, median(records.map((record) => record[key]))]));

profile().catch((error) => {
  console.error(error instanceof UsageError ? error.message : error);
  process.exitCode = 1;
});

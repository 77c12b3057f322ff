'use strict';

/**
 * `npm run bench:recovery`: every client plays every script of faults. ../README.md says what the figures mean.
 */

const path = require('node:path');

const { measure, BOUND } = require('./lib/measurement');
const commandLine = require('./lib/options');
const { drawPicture, PICTURE } = require('./lib/picture');
const { report } = require('./lib/report');
const { loadScript } = require('./lib/scripts');
const { runCommand, beginRecord } = require('../lib/command');
const { describeMachine } = require('../lib/machine');
const { installPeers, requireReleaseAddon } = require('../lib/preconditions');
const { writeResults } = require('../lib/results');

/** How many clients play a script at once that is mostly waiting. */
const AT_ONCE = 5;

/** @param {ReturnType<typeof commandLine.readOptions>} options */
async function bench(options) {
  installPeers();
  requireReleaseAddon();
  const machine = describeMachine();
  const begun = performance.now();
  const results = await measureAll(options);
  const record = {
    ...beginRecord(options, results, machine),
    seed: options.seed,
    quick: options.quick,
    boundMs: BOUND,
    minutes: (performance.now() - begun) / 60_000,
    peers: options.peers,
    scripts: options.scripts,
    ...results,
  };
  console.log(report(record));
  const file = writeResults(record, 'recovery');
  const picture = record.complete ? PICTURE : file.replace(/json$/, 'svg');
  drawPicture(file, picture);
  console.log(`\nwritten to ${file} and ${path.relative(process.cwd(), picture)}`);
  if (results.failures.length > 0) process.exitCode = 1;
}

async function measureAll({ peers, scripts, seed, quick }) {
  const results = { versions: {}, failures: [], measurements: [] };
  for (const script of scripts) {
    const atOnce = loadScript(script).mostlyWaiting ? AT_ONCE : 1;
    for (let from = 0; from < peers.length; from += atOnce) {
      for (const found of await measure(peers.slice(from, from + atOnce), { script, seed, quick })) {
        note(results, script, found);
      }
    }
  }
  return results;
}

function note(results, script, { peer, failed, version, unheard, score }) {
  console.error(`${script}, ${peer}: ${failed ? 'FAILED' : `${score.succeeded} of ${score.calls}`}`);
  if (failed) {
    results.failures.push({ script, peer, reason: failed });
  } else {
    results.versions[peer] = version;
    results.measurements.push({ script, peer, ...score, unheard });
  }
}

runCommand('bench:recovery', commandLine, bench);

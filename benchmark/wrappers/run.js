'use strict';

/**
 * `npm run bench:wrappers`: what a wrapped call that succeeds costs the event loop over the same call of the bare client.
 * ../README.md says how it is measured.
 */

const commandLine = require('./options');
const { pairs } = require('./pairs');
const { measureSet } = require('./set');
const { runCommand, beginRecord } = require('../lib/command');
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
  const results = { failures: [], measurements: [] };
  for (const transport of options.transports) await benchOver(transport, options, results);
  const record = { ...beginRecord(options, results, machine), ...options.plan, atMostUs: AT_MOST, ...results };
  console.log(report(results.measurements));
  console.log(`\nwritten to ${writeResults(record, 'wrappers')}`);
  if (results.failures.length > 0) process.exitCode = 1;
}

async function benchOver(transport, { pairs: names, plan }, results) {
  if (transport === 'memory') {
    for (const pair of names) await note(results, pair, transport, undefined, plan);
    return;
  }
  const server = await startServer(buildServer());
  try {
    for (const pair of names.filter((name) => !pairs[name].isStub)) {
      await note(results, pair, transport, `${server.origin}/json`, plan);
    }
  } finally {
    await server.stop();
  }
}

async function note(results, pair, transport, url, plan) {
  const sets = [];
  try {
    for (let set = 0; set < plan.sets; set += 1) sets.push(await measureSet(pair, url, plan, set));
  } catch (error) {
    console.error(`${pair}: FAILED\n${error.message}`);
    results.failures.push({ pair, transport, reason: error.message });
    return;
  }
  const figures = {
    bare: median(sets.map(({ bare }) => bare)),
    ...spread(sets.map(({ cost }) => cost), 'cost'),
    ...spread(sets.map(({ twin }) => twin), 'null'),
  };
  console.error(`${pair}, ${transport}: ${figures.cost.toFixed(1)} us (${figures.null.toFixed(1)})`);
  results.measurements.push({ pair, version: pairs[pair].version, transport, figures });
}

/** Of the sets, the middle one counts; beside it the quarters. */
function spread(values, name) {
  return { [name]: median(values), [`${name}Low`]: quantile(values, 0.25), [`${name}High`]: quantile(values, 0.75) };
}

function median(values) {
  return quantile(values, 0.5);
}

/** Between two values, in proportion. */
function quantile(values, part) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * part;
  const [below, above] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return below + (above - below) * (at % 1);
}

function report(measurements) {
  const lines = measurements.map(({ pair, version, transport, figures }) => [
    `${pair} ${version}`.padEnd(34),
    transport.padEnd(9),
    figures.bare.toFixed(1).padStart(7),
    inQuarters(figures, 'cost'),
    inQuarters(figures, 'null'),
    figures.cost <= AT_MOST ? '   reached' : '   MISSED',
  ].join(''));
  const head = `${'event loop, us per call'.padEnd(43)}   bare        cost (25%, 75%)        null (25%, 75%)   wanted: at most ${AT_MOST}`;
  return [head, ...lines].join('\n');
}

function inQuarters(figures, name) {
  const [middle, low, high] = ['', 'Low', 'High'].map((part) => figures[name + part].toFixed(1));
  return `${middle.padStart(10)} ${`(${low}, ${high})`.padEnd(14)}`;
}

runCommand('bench:wrappers', commandLine, bench);

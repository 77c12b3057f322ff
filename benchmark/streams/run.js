'use strict';

/**
 * `npm run bench:streams`: a large file as a Node stream, by `download`, by the built-in fetch and by got, where nothing
 * breaks and where each connection is reset after 10 MiB.
 *
 * Each measurement is a process of its own, which reads the file into a sink that counts; its first transfer is not counted.
 * The clients take turns, each round begins with another one, and the medians of the rounds are shown. What the columns mean
 * is said in ../README.md; here they are for each MiB. `docs/streams.md` shows a record.
 */

const { execFile, fork } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { promisify } = require('node:util');

const { runCommand, beginRecord } = require('../lib/command');
const { ownEnvironment } = require('../lib/environment');
const { describeMachine } = require('../lib/machine');
const { installPeers, requireReleaseAddon } = require('../lib/preconditions');
const { writeResults } = require('../lib/results');
const commandLine = require('./options');
const { peers } = require('./peers');

const { CASES, FILE_SIZE, MIB } = commandLine;

/** @param {ReturnType<typeof commandLine.readOptions>} options */
async function bench(options) {
  installPeers();
  requireReleaseAddon();
  const machine = describeMachine();
  const server = fork(path.join(__dirname, 'server.js'), { env: ownEnvironment() });
  const [{ port }] = await once(server, 'message');
  const found = new Map(options.cases.flatMap((name) => options.peers.map((peer) => [`${name}\n${peer}`, []])));
  for (let round = 0; round < options.rounds; round += 1) {
    for (const name of options.cases) {
      for (const peer of turned(options.peers, round)) {
        const job = { peer, url: `http://127.0.0.1:${port}${CASES[name]}`, transfers: options.transfers, serverPid: server.pid };
        found.get(`${name}\n${peer}`).push(await measure(job));
        console.error(`round ${round + 1}: ${name}, ${peer}`);
      }
    }
  }
  server.disconnect();
  const measurements = Array.from(found, ([key, rounds]) => summary(...key.split('\n'), rounds));
  const record = {
    ...beginRecord(options, { failures: [] }, machine), rounds: options.rounds, transfers: options.transfers, fileMiB: FILE_SIZE / MIB, measurements,
  };
  console.log(report(measurements));
  console.log(`\nwritten to ${writeResults(record, 'streams')}`);
}

async function measure(job) {
  const { stdout } = await promisify(execFile)(process.execPath, [path.join(__dirname, 'client.js'), JSON.stringify(job)], { env: ownEnvironment() });
  return JSON.parse(stdout);
}

/** Each round begins with another one. */
function turned(list, by) {
  const from = by % list.length;
  return [...list.slice(from), ...list.slice(0, from)];
}

/** The middle of the rounds; of one that did not come to the end of the file, how far it came. */
function summary(name, peer, rounds) {
  const head = { case: name, peer, version: peers[peer].version };
  const ended = rounds.filter((round) => round.ended !== undefined).map((round) => round.ended);
  if (ended.length > 0) {
    return { ...head, endedAfterMiB: median(ended.map(({ bytes }) => bytes / MIB)), code: ended[0].code };
  }
  const figure = (key) => median(rounds.map(({ figures }) => figures[key]));
  const rates = rounds.map(({ figures }) => figures.rate);
  return {
    ...head,
    rate: figure('rate'),
    spread: (Math.max(...rates) - Math.min(...rates)) / 2 / figure('rate'),
    loop: figure('loop'),
    utilization: figure('utilization'),
    cpu: figure('cpu'),
    server: figure('server'),
    peakMemory: median(rounds.map((round) => round.peakMemory)),
    loopSource: rounds[0].loopSource,
  };
}

function median(values) {
  return values.toSorted((one, other) => one - other)[values.length >> 1];
}

function report(measurements) {
  const head = ['MiB/s', '+-', 'loop us', 'elu us', 'cpu us', 'server', 'peak MiB'].map((name) => name.padStart(10)).join('');
  const lines = Object.keys(CASES).flatMap((name) => {
    const of = measurements.filter((measurement) => measurement.case === name);
    return of.length === 0 ? [] : [`\n${name}, for each MiB`.padEnd(36) + head, ...of.map(line)];
  });
  return lines.join('\n');
}

function line({ peer, version, endedAfterMiB, code, rate, spread, loop, utilization, cpu, server, peakMemory }) {
  const name = `  ${peer} ${version}`.padEnd(35);
  if (endedAfterMiB !== undefined) return `${name}ended after ${endedAfterMiB.toFixed(1)} MiB with ${code}`;
  const percent = (part) => (part === undefined ? '-' : `${(part * 100).toFixed(0)} %`);
  const cells = [rate.toFixed(0), percent(spread), loop.toFixed(0), utilization.toFixed(0), cpu.toFixed(0), percent(server), peakMemory.toFixed(0)];
  return name + cells.map((cell) => cell.padStart(10)).join('');
}

runCommand('bench:streams', commandLine, bench);

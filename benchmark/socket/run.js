'use strict';

/**
 * Our `Socket` beside `net.Socket`: echo of small messages, bulk in both directions, and how long it takes to be back after a
 * reset. Each measurement is a process of its own, the peers take turns, and the medians of the rounds are shown.
 *
 * `node benchmark/socket/run.js [rounds]`, with an optimised addon (`npm run build`).
 */

const path = require('node:path');
const { execFile, fork } = require('node:child_process');
const { once } = require('node:events');
const { promisify } = require('node:util');
const { requireReleaseAddon } = require('../lib/preconditions');

const MEASURES = [
  { name: 'echo, one at a time', unit: 'messages', peers: ['net.Socket', 'unreset'] },
  { name: 'echo, 50 in flight', unit: 'messages', peers: ['net.Socket', 'unreset'] },
  { name: 'bulk to the server', unit: 'MiB', peers: ['net.Socket', 'unreset'] },
  { name: 'bulk from the server', unit: 'MiB', peers: ['net.Socket', 'unreset'] },
  { name: 'come back', peers: ['hand-written', 'reconnect-core', 'unreset'] },
];

async function main([rounds = '3']) {
  requireReleaseAddon();
  const server = fork(path.join(__dirname, 'server.js'));
  const [port] = await once(server, 'message');
  for (const measure of MEASURES) {
    const found = new Map(measure.peers.map((peer) => [peer, []]));
    for (let round = 0; round < Number(rounds); round++) {
      for (const peer of measure.peers) found.get(peer).push(await one(peer, measure.name, port));
    }
    show(measure, found);
  }
  server.disconnect();
}

async function one(...args) {
  const { stdout } = await promisify(execFile)(process.execPath, [path.join(__dirname, 'client.js'), ...args.map(String)]);
  return JSON.parse(stdout);
}

function show({ name, unit }, found) {
  console.log(name);
  for (const [peer, results] of found) {
    const of = (key) => middle(results.map((result) => result[key]));
    const told = unit === undefined
      ? `median ${of('median').toFixed(2)} ms, 95th percentile ${of('p95').toFixed(2)} ms`
      : `${of('perSecond').toFixed(0)} ${unit}/s, event loop ${of('loopMicroseconds').toFixed(2)} us and CPU `
        + `${of('cpuMicroseconds').toFixed(2)} us for each`;
    console.log(`  ${peer.padEnd(16)} ${told}`);
  }
}

function middle(numbers) {
  return numbers.sort((a, b) => a - b)[numbers.length >> 1];
}

main(process.argv.slice(2));

'use strict';

/**
 * What this process holds: handles of its event loop, descriptors, connections, threads, calls. Counted by kind, so that
 * what has been left behind can be named. Descriptors, connections and threads are told by Linux alone; elsewhere they
 * count as none.
 */

const fs = require('node:fs');

const { nativeEngine } = require('../../../lib/engine/engine');

const ON_LINUX = process.platform === 'linux';

/** States of `/proc/net/tcp` that are no open connection: LISTEN, and those that need nobody to end. */
const NOT_OPEN = new Set(['0A', '06', '07']);

/**
 * @typedef {object} Holdings  each a count by kind
 * @property {Record<string, number>} handles what keeps the event loop alive
 * @property {Record<string, number>} descriptors
 * @property {Record<string, number>} connections by the port at the other end
 * @property {Record<string, number>} threads by name
 * @property {Record<string, number>} calls
 */

/** @returns {Holdings} */
function holdings() {
  const descriptors = ON_LINUX ? descriptorTargets() : [];
  return {
    handles: countBy(process.getActiveResourcesInfo(), (name) => name),
    descriptors: countBy(descriptors, (target) => target.replace(/:\[\d+\]$/, '')),
    connections: connections(descriptors),
    threads: ON_LINUX ? countBy(threadNames(), (name) => name) : {},
    calls: { open: nativeEngine().openCalls },
  };
}

/** TCP connections of this process, by the port at the other end. */
function connections(descriptors = ON_LINUX ? descriptorTargets() : []) {
  if (!ON_LINUX) return {};
  const own = new Set(descriptors.map((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1]));
  const rows = fs.readFileSync('/proc/self/net/tcp', 'utf8').trim().split('\n').slice(1);
  const open = rows.map((row) => row.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode]) => own.has(inode) && !NOT_OPEN.has(state));
  return countBy(open, ([, , remote]) => String(Number.parseInt(remote.split(':')[1], 16)));
}

function descriptorTargets() {
  return fs.readdirSync('/proc/self/fd').flatMap((descriptor) => readOr(() => fs.readlinkSync(`/proc/self/fd/${descriptor}`)));
}

function threadNames() {
  return fs.readdirSync('/proc/self/task').flatMap((task) =>
    readOr(() => fs.readFileSync(`/proc/self/task/${task}/comm`, 'utf8').trim()));
}

/** What has gone since it was listed is left out. */
function readOr(read) {
  try {
    return [read()];
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return [];
    throw error;
  }
}

function countBy(items, kindOf) {
  const counts = {};
  for (const item of items) counts[kindOf(item)] = (counts[kindOf(item)] ?? 0) + 1;
  return counts;
}

module.exports = { holdings, connections };

'use strict';

/**
 * Which thread spent what: the processor time of a call says where to look only when it is known whose it was. Linux
 * tells it of each thread; elsewhere there is nothing to read.
 */

const fs = require('node:fs');

const TASKS = '/proc/self/task';
/** The kernel counts a thread's system time in these, in us. */
const TICK = 10_000;
/** Columns of a thread's `stat` after its name (proc_pid_stat(5), counted from the third). */
const MINOR_FAULTS = 7;
const SYSTEM_TICKS = 12;

/** On Linux the main thread's id is the process's. */
const MAIN_THREAD = String(process.pid);

/**
 * @typedef {object} Use
 * @property {number} cpu us on a core
 * @property {number} system of these, in the kernel
 * @property {number} faults pages that the kernel had to bring
 * @property {number} waits times that a thread went to sleep, each of which costs a wake-up
 */

/** @returns {Record<string, Use>} by the name of the thread; the main one is called `event loop` */
function readThreads() {
  const uses = {};
  for (const task of fs.readdirSync(TASKS)) {
    const read = (file) => fs.readFileSync(`${TASKS}/${task}/${file}`, 'latin1');
    let stat, schedstat, status;
    try {
      [stat, schedstat, status] = [read('stat'), read('schedstat'), read('status')];
    } catch {
      // It ended in between, and what it used with it.
      continue;
    }
    // The name stands in brackets and may have any character, brackets included.
    const name = task === MAIN_THREAD ? 'event loop' : stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    const columns = stat.slice(stat.lastIndexOf(')') + 2).split(' ').map(Number);
    const use = {
      cpu: Number(schedstat.split(' ', 1)[0]) / 1e3,
      system: columns[SYSTEM_TICKS] * TICK,
      faults: columns[MINOR_FAULTS],
      waits: Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(status)[1]),
    };
    uses[name] = uses[name] ? combine(uses[name], use, (a, b) => a + b) : use;
  }
  return uses;
}

/**
 * @param {Record<string, Use>} begin
 * @param {Record<string, Use>} end
 * @param {number} calls that ended in between
 * @returns {Record<string, Use>} per call, of the threads that were there at both
 */
function usePerCall(begin, end, calls) {
  const both = Object.keys(end).filter((name) => name in begin);
  return Object.fromEntries(both.map((name) => [name, combine(end[name], begin[name], (a, b) => (a - b) / calls)]));
}

const combine = (a, b, by) => Object.fromEntries(Object.keys(a).map((key) => [key, by(a[key], b[key])]));

module.exports = { readThreads, usePerCall };

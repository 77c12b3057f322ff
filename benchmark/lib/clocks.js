'use strict';

/**
 * The clocks that are read at both ends of a measured window, and what their differences mean per call.
 *
 * Time on the event loop is asked of the kernel: the processor time of the main thread, where JavaScript runs.
 * `eventLoopUtilization` is wall time outside of the poll; on a machine whose cores are all busy it also counts
 * the moments when another thread had the core, so it serves only where the kernel cannot be asked.
 */

const fs = require('node:fs');
const { performance } = require('node:perf_hooks');

/** On Linux the main thread's id is the process's. */
const MAIN_THREAD = `/proc/self/task/${process.pid}/schedstat`;

/**
 * How the main thread's processor time can be read here, the most exact way first.
 * @type {'schedstat' | 'threadCpuUsage' | 'eventLoopUtilization'}
 */
const loopSource = fs.existsSync(MAIN_THREAD)
  ? 'schedstat'
  : process.threadCpuUsage
    ? 'threadCpuUsage'
    : 'eventLoopUtilization';

/** @param {number} serverPid whose processor time is read too, to see that it is not the bottleneck */
function readClocks(serverPid) {
  return {
    wall: performance.now(),
    utilization: performance.eventLoopUtilization(),
    loop: mainThreadTime(),
    process: sum(process.cpuUsage()),
    server: threadTime(`/proc/${serverPid}/schedstat`),
  };
}

/**
 * @param {ReturnType<typeof readClocks>} begin
 * @param {ReturnType<typeof readClocks>} end
 * @param {number} calls that ended in between
 * @returns {{ rate: number, loop: number, utilization: number, cpu: number, server: number | undefined }} `rate`
 *   in calls per second; `loop`, `utilization` and `cpu` in microseconds per call; `server` as a part of one core
 */
function perCall(begin, end, calls) {
  const wall = end.wall - begin.wall;
  const { active } = performance.eventLoopUtilization(end.utilization, begin.utilization);
  const utilization = (active * 1e3) / calls;
  return {
    rate: calls / (wall / 1e3),
    loop: loopSource === 'eventLoopUtilization' ? utilization : (end.loop - begin.loop) / calls,
    utilization,
    cpu: (end.process - begin.process) / calls,
    server: begin.server === undefined ? undefined : (end.server - begin.server) / (wall * 1e3),
  };
}

/** Microseconds. */
function mainThreadTime() {
  if (loopSource === 'schedstat') return threadTime(MAIN_THREAD);
  return loopSource === 'threadCpuUsage' ? sum(process.threadCpuUsage()) : undefined;
}

/** The first figure of a schedstat file is the nanoseconds spent on a core; undefined where there is none. */
function threadTime(file) {
  try {
    return Number(fs.readFileSync(file, 'latin1').split(' ', 1)[0]) / 1e3;
  } catch {
    return undefined;
  }
}

const sum = ({ user, system }) => user + system;

module.exports = { readClocks, perCall, loopSource };

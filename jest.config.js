'use strict';

/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  // Only these: `target` and the benchmarks hold packages of their own, whose names would collide with ours.
  roots: ['<rootDir>/__test__'],
  testMatch: ['<rootDir>/__test__/{unit,integration,process}/**/*.test.js'],
  // Child processes and real sockets on a busy machine; no test waits that long when it passes.
  testTimeout: 30_000,
  // A defect to be found: `integration/persistent/persistent.test.js` leaves something that keeps Jest alive. What may stay
  // behind in a process is tested in processes of their own (`process/`, `integration/persistent/process.test.js`).
  forceExit: true,
};

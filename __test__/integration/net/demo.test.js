'use strict';

/** Scenario 2 of `npm run demo`: what it shows must have happened, and ours must hold. */

const path = require('node:path');
const { promisify } = require('node:util');
const execFile = promisify(require('node:child_process').execFile);

const RUN = path.join(__dirname, '../../../examples/run.js');

test('scenario 2: ours keeps every promise, the others do not', async () => {
  const { stdout } = await execFile(process.execPath, [RUN, '2', '--json']);
  const { kept, scenarios } = JSON.parse(stdout);
  const [{ promises, runs }] = scenarios;
  expect(promises.filter((promise) => !promise.kept)).toEqual([]);
  expect(kept).toBe(true);
  const counts = Object.fromEntries(runs.map((run) => [run.variant, run.counts.succeeded]));
  expect(counts).toMatchObject({ plain: 1, ours: 7 });
  // It loses the line that it writes before it has heard of a reset, which depends on the machine.
  expect(counts.usual).toBeLessThanOrEqual(2);
  const scenario = require('../../../examples/02-remote-device');
  for (const run of runs.filter(({ variant }) => variant !== 'ours')) {
    expect(scenario.promises(run).map((promise) => promise.kept)).toContain(false);
  }
}, 60_000);

'use strict';

/** Scenarios 3 and 8 of `npm run demo`: what they show must have happened, and ours must hold. */

const path = require('node:path');
const { promisify } = require('node:util');
const execFile = promisify(require('node:child_process').execFile);

const EXAMPLES = path.join(__dirname, '../../../examples');

/** Calls that succeed with ours. The others cannot: their connection dies under them, or the server refuses them for good. */
test.each([
  ['03-large-messages', { ours: 12 }],
  ['08-realtime', { ours: 8 }],
])('scenario %s: ours keeps every promise, the others do not', async (name, { ours }) => {
  const { stdout } = await execFile(process.execPath, [path.join(EXAMPLES, 'run.js'), name, '--json']);
  const { kept, scenarios } = JSON.parse(stdout);
  const [{ promises, runs }] = scenarios;
  expect(promises.filter((promise) => !promise.kept)).toEqual([]);
  expect(kept).toBe(true);
  const scenario = require(path.join(EXAMPLES, name));
  for (const run of runs) {
    if (run.variant === 'ours') {
      expect(run.counts.succeeded).toBe(ours);
    } else {
      expect(run.counts.succeeded).toBeLessThan(ours);
      expect(scenario.promises(run).map((promise) => promise.kept)).toContain(false);
    }
  }
}, 120_000);

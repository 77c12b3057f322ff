'use strict';

/** Scenario 4 of `npm run demo`: what it shows must have happened, and ours must hold. */

const path = require('node:path');
const { promisify } = require('node:util');
const execFile = promisify(require('node:child_process').execFile);

const RUN = path.join(__dirname, '../../../examples/run.js');
const scenario = require('../../../examples/04-database');

describe('scenario 4, a database', () => {
  let result;
  let runs;

  beforeAll(async () => {
    const { stdout } = await execFile(process.execPath, [RUN, '4', '--json']);
    result = JSON.parse(stdout);
    runs = Object.fromEntries(result.scenarios[0].runs.map((run) => [run.variant, run]));
  }, 120_000);

  const call = (variant, name) => runs[variant].outcomes.find((outcome) => outcome.call === name);
  const done = (variant, line) => runs[variant].requests.filter((request) => request.line === line).length;

  test('ours keeps every promise', () => {
    const [{ promises }] = result.scenarios;
    expect(promises.filter((promise) => !promise.kept)).toEqual([]);
    expect(promises.length).toBeGreaterThan(6);
    expect(result.kept).toBe(true);
    expect(runs.ours.counts).toEqual({ succeeded: 7, wrong: 0, failed: 1 });
  });

  test('a program whose first connect is refused ends there, whatever its listener does about ECONNRESET', () => {
    for (const variant of ['plain', 'usual']) {
      expect(runs[variant]).toMatchObject({ ended: 'with exit code 1', requests: [], counts: { succeeded: 0 } });
      expect(runs[variant].printed.join('\n')).toContain('MongooseServerSelectionError');
    }
  });

  test('with its first connect repaired, a loop around what was reset places an order twice', () => {
    expect(done('repaired', 'order crank')).toBe(2);
    expect(runs.repaired.duplicates).toBe(1);
    expect(call('repaired', 'order gear')).toMatchObject({ outcome: 'failed', saw: 'nothing' });
  });

  test('ours tells what an order may have come to', () => {
    expect(call('ours', 'order crank')).toMatchObject({
      outcome: 'failed',
      error: { code: 'ECONNRESET', kind: 'reset', delivery: 'unknown' },
      recovery: { gaveUp: 'not-idempotent' },
    });
    expect(done('ours', 'order crank')).toBe(1);
  });

  test('no other variant would keep the promises', () => {
    for (const variant of ['plain', 'usual', 'repaired']) {
      expect(scenario.promises(runs[variant]).map((promise) => promise.kept)).toContain(false);
    }
  });
});

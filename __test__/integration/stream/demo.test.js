'use strict';

/** Scenario 7 of `npm run demo`: what it shows must have happened, and ours must hold. */

const path = require('node:path');
const { promisify } = require('node:util');
const execFile = promisify(require('node:child_process').execFile);

const RUN = path.join(__dirname, '../../../examples/run.js');
const scenario = require('../../../examples/07-streams');

let played;
let runs;
beforeAll(async () => {
  const { stdout } = await execFile(process.execPath, [RUN, '7', '--json']);
  played = JSON.parse(stdout);
  runs = Object.fromEntries(played.scenarios[0].runs.map((run) => [run.variant, run]));
}, 120_000);

const call = (variant, name) => runs[variant].outcomes.find((outcome) => outcome.call === name);

test('ours keeps every promise, the others do not', () => {
  expect(played.scenarios[0].promises.filter((promise) => !promise.kept)).toEqual([]);
  expect(played.kept).toBe(true);
  const counts = Object.fromEntries(Object.values(runs).map((run) => [run.variant, run.counts]));
  expect(counts).toEqual({
    plain: { succeeded: 1, wrong: 1, failed: 6 },
    usual: { succeeded: 1, wrong: 1, failed: 6 },
    repaired: { succeeded: 1, wrong: 7, failed: 0 },
    ours: { succeeded: 7, wrong: 0, failed: 1 },
  });
  for (const variant of ['plain', 'usual', 'repaired']) {
    expect(scenario.promises(runs[variant]).map((promise) => promise.kept)).toContain(false);
  }
});

test('the listener on what pipe returns hears of nothing, and a source without one ends the process', () => {
  for (const variant of ['plain', 'usual']) {
    expect(runs[variant].printed.join('\n')).toContain("Unhandled 'error' event");
    expect(runs[variant].printed).not.toContain('error: ECONNRESET');
    expect(runs[variant].ended).toBe('with exit code 1');
    expect(runs[variant].requests).toHaveLength(8);
    expect(call(variant, '/reset').saw).toMatch(/, and then nothing$/);
  }
});

test('to begin again is to print the first bytes again', () => {
  expect(parseInt(call('repaired', '/reset').saw, 10)).toBeGreaterThan(40_000);
  expect(runs.repaired.duplicates).toBe(8);
});

test('ours tells what each file took', () => {
  const faults = (name) => call('ours', name).recovery.attempts.map(({ fault }) => fault && fault.code);
  expect(faults('/small')).toEqual([null]);
  expect(faults('/often')).toEqual(['ECONNRESET', 'ECONNRESET', 'ECONNRESET', null]);
  expect(faults('/busy')).toEqual(['HTTP_503', null]);
  expect(faults('over TCP')).toEqual(['ECONNRESET', 'ECONNRESET', null]);
  expect(call('ours', '/changed')).toMatchObject({ error: { code: 'ERR_RESUME_CHANGED' }, recovery: { gaveUp: 'not-resumable' } });
});

'use strict';

/** Scenario 1 of the demo: what it shows must have happened, and ours must hold. */

const path = require('node:path');

const scenario = require('../../../../examples/01-http');
const { play } = require('../../../../examples/support/play');

let played;
let runs;
beforeAll(async () => {
  played = await play(path.join(__dirname, '../../../../examples/01-http.js'));
  runs = Object.fromEntries(played.runs.map((run) => [run.variant, run]));
}, 60_000);

test('ours keeps every promise, and no other variant would', () => {
  expect(played.promises.filter(({ kept }) => !kept)).toEqual([]);
  expect(played.promises.length).toBeGreaterThan(4);
  for (const variant of ['plain', 'usual', 'repaired']) {
    expect(scenario.promises(runs[variant]).map(({ kept }) => kept)).toContain(false);
  }
});

test('plain and usual lose what met a fault, and take a 503 for a reading', () => {
  for (const variant of ['plain', 'usual']) {
    expect(runs[variant].counts).toEqual({ succeeded: 1, wrong: 1, failed: 6 });
    expect(runs[variant].requests).toHaveLength(8);
  }
  expect(runs.plain.printed).toContain('request failed: socket hang up');
  expect(runs.usual.printed).toEqual(Array.from(runs.usual.printed, () => 'connection reset by the server'));
});

test('asking again at once hides the 503 and the torn body', () => {
  expect(runs.repaired.counts).toMatchObject({ wrong: 1, failed: 1 });
});

test('ours tells what each answer took', () => {
  const faults = (name) => (
    runs.ours.outcomes.find(({ call }) => call === name).recovery.attempts.map(({ fault }) => fault && fault.code)
  );
  expect(runs.ours.counts).toEqual({ succeeded: 6, wrong: 0, failed: 2 });
  expect(faults('attic')).toEqual([null]);
  expect(faults('cellar')).toEqual(['ECONNRESET', null]);
  expect(faults('engine')).toEqual(['HTTP_503', null]);
  expect(faults('floor')).toEqual(['ECONNRESET', 'ECONNRESET', 'ECONNRESET', null]);
  expect(faults('hall')).toEqual(['ECONNRESET']);
  expect(runs.ours.ended).toBe('by itself');
});

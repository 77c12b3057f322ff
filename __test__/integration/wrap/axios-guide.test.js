'use strict';

/** `docs/wrap-axios.md` and scenario 5: what they show is what happens. */

const fs = require('node:fs');
const path = require('node:path');
const { promisify } = require('node:util');
const { execFile } = require('node:child_process');
const { ROOT } = require('../../support/packages');
const { Project, promisedBy, readDocument } = require('../../support/snippets');
const scenario = require('../../../examples/05-external-api');

jest.setTimeout(60_000);

describe('the guide', () => {
  const GUIDE = readDocument('docs/wrap-axios.md');
  let project;
  beforeAll(() => {
    project = new Project();
    fs.symlinkSync(path.dirname(require.resolve('axios/package.json')), path.join(project.directory, 'node_modules/axios'), 'junction');
  });
  afterAll(() => project.remove());

  test('its program prints what it says', async () => {
    const [program] = GUIDE.programs;
    expect(promisedBy(program)).toHaveLength(2);
    expect(await project.printedBy(program)).toEqual(promisedBy(program));
  });

  test('every file it links to is there', () => {
    expect(GUIDE.missing()).toEqual([]);
  });
});

describe('scenario 5, an external API', () => {
  let played;
  let runs;
  beforeAll(async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [path.join(ROOT, 'examples/run.js'), '5', '--json']);
    [played] = JSON.parse(stdout).scenarios;
    runs = Object.fromEntries(played.runs.map((run) => [run.variant, run]));
  });

  const codes = (call) => runs.ours.outcomes.find((outcome) => outcome.call === call)
    .recovery.attempts.map(({ fault }) => fault && fault.code);

  test('ours keeps every promise', () => {
    expect(played.promises.filter(({ kept }) => !kept)).toEqual([]);
    expect(played.promises).toHaveLength(7);
    expect(runs.ours.counts).toEqual({ succeeded: 10, wrong: 0, failed: 2 });
  });

  test('plain axios loses every call that met a fault', () => {
    expect(runs.plain.counts).toEqual({ succeeded: 3, wrong: 0, failed: 9 });
    expect(runs.plain.requests).toHaveLength(12);
  });

  test('the usual loop knows neither 503 nor a body that was closed, and orders a transfer twice', () => {
    const failed = runs.usual.outcomes.filter(({ outcome }) => outcome === 'failed').map(({ call }) => call);
    expect(failed).toEqual(expect.arrayContaining(['GET GBP', 'GET PLN', 'POST SEK']));
    expect(runs.usual.duplicates).toBe(1);
  });

  test('ours tells what each answer took', () => {
    expect(codes('GET CHF')).toEqual([null]);
    expect(codes('GET GBP')).toEqual(['HTTP_503', null]);
    expect(codes('GET JPY')).toEqual(['ECONNRESET', 'ECONNRESET', 'ECONNRESET', null]);
    expect(codes('GET PLN')).toEqual(['ECONNRESET', null]);
    expect(codes('POST CZK')).toEqual(['ECONNRESET']);
  });

  test('no other variant would keep the promises', () => {
    for (const variant of ['plain', 'usual']) {
      expect(scenario.promises(runs[variant]).map(({ kept }) => kept)).toContain(false);
    }
  });
});

'use strict';

/** `npm run demo` is what a newcomer runs first: what it shows must have happened, and ours must hold. */

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { spawn } = require('node:child_process');
const { once } = require('node:events');

const RUN = path.join(__dirname, '../../examples/run.js');
const microservices = require('../../examples/06-microservices');

jest.setTimeout(300_000);

async function demo(args, env = {}) {
  const child = spawn(process.execPath, [RUN, ...args], { env: { ...process.env, ...env } });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text) => { output.stdout += text; });
  child.stderr.setEncoding('utf8').on('data', (text) => { output.stderr += text; });
  const [code] = await once(child, 'close');
  return { code, ...output };
}

describe('scenario 6, two microservices', () => {
  let result;
  let runs;
  beforeAll(async () => {
    result = await demo(['6', '--json']);
    const { scenarios } = JSON.parse(result.stdout);
    runs = Object.fromEntries(scenarios[0].runs.map((run) => [run.variant, run]));
  });

  const call = (variant, name) => runs[variant].outcomes.find((outcome) => outcome.call === name);

  test('ours keeps every promise, and the exit code says so', () => {
    const { kept, scenarios } = JSON.parse(result.stdout);
    expect(scenarios.map(({ number }) => number)).toEqual([6]);
    expect(scenarios[0].promises.filter((promise) => !promise.kept)).toEqual([]);
    expect(scenarios[0].promises.length).toBeGreaterThan(10);
    expect(kept).toBe(true);
    expect(result).toMatchObject({ code: 0, stderr: '' });
  });

  test('the built-in fetch loses every call that met a fault, and hides the code', () => {
    expect(runs.plain.counts).toEqual({ succeeded: 3, wrong: 1, failed: 7 });
    expect(runs.plain.requests).toHaveLength(11);
    expect(runs.plain.printed).toContain('GET bolt: TypeError: fetch failed (err.code: undefined)');
  });

  test('the usual remedy answers nobody, repeats without a pause, and reserves twice', () => {
    expect(runs.usual.counts).toEqual({ succeeded: 3, wrong: 1, failed: 7 });
    expect(runs.usual.requests).toHaveLength(20);
    expect(runs.usual.duplicates).toBe(1);
    expect(call('usual', 'GET bolt').error.message).toMatch(/undefined/);
  });

  test('with its promise returned it still takes a 503 for an answer, and reserves twice', () => {
    expect(runs.repaired.counts).toEqual({ succeeded: 9, wrong: 1, failed: 1 });
    expect(call('repaired', 'GET elbow').outcome).toBe('wrong');
    expect(call('repaired', 'GET gear').error.code).toBe('ERR_STREAM_PREMATURE_CLOSE');
    expect(runs.repaired.duplicates).toBe(1);
  });

  test('node-fetch, wrapped, answers what needs no resuming, with nothing done twice', () => {
    expect(runs.wrapped.counts).toEqual({ succeeded: 9, wrong: 0, failed: 2 });
    expect(runs.wrapped.requests).toHaveLength(20);
    expect(runs.wrapped.duplicates).toBe(0);
    expect(call('wrapped', 'GET gear')).toMatchObject({
      error: { code: 'ECONNRESET', delivery: 'answered' }, recovery: { gaveUp: 'not-resumable' },
    });
    expect(call('wrapped', 'POST bolt').recovery.gaveUp).toBe('not-idempotent');
  });

  test('ours answers what can be answered, in as many requests, with nothing done twice', () => {
    expect(runs.ours.counts.succeeded).toBeGreaterThanOrEqual(9);
    expect(runs.ours.counts.wrong).toBe(0);
    expect(runs.ours.duplicates).toBe(0);
    expect(runs.ours.ended).toBe('by itself');
  });

  test('ours tells what each answer took', () => {
    const faults = (name) => call('ours', name).recovery.attempts.map(({ fault }) => fault && fault.code);
    expect(faults('GET anvil')).toEqual([null]);
    expect(faults('GET bolt')).toEqual(['ECONNRESET', null]);
    expect(faults('GET crank')).toEqual(['ECONNRESET', null]);
    expect(faults('GET flange')).toEqual(['ECONNRESET', 'ECONNRESET', 'ECONNRESET', null]);
    expect(faults('GET elbow')).toEqual(['HTTP_503', null]);
    expect(call('ours', 'GET elbow').recovery.attempts[1].delay).toBeGreaterThanOrEqual(1000);
  });

  test('ours does not repeat a POST that may have been done, unless the server can recognise it', () => {
    expect(call('ours', 'POST bolt')).toMatchObject({
      outcome: 'failed',
      error: { code: 'ECONNRESET', kind: 'reset', delivery: 'unknown' },
      recovery: { attempts: [{ delay: 0 }], gaveUp: 'not-idempotent' },
    });
    const seen = (line) => runs.ours.requests.filter((request) => request.line === line).length;
    expect(seen('POST /reservations/bolt')).toBe(1);
    expect(call('ours', 'POST gear (with a key)').outcome).toBe('succeeded');
    expect(seen('POST /reservations/gear')).toBe(2);
  });

  test('the README shows what it counted', () => {
    const readme = fs.readFileSync(path.join(__dirname, '../../README.md'), 'utf8');
    const [, shown] = /<!-- demo:start -->\n.*\n.*\n([^]*?)\n<!-- demo:end -->/.exec(readme);
    const counted = Object.values(runs).map(({ variant, outcomes, counts, requests, duplicates }) => [
      variant, outcomes.length, counts.succeeded, counts.wrong, counts.failed, requests.length, duplicates,
    ]);
    expect(shown.split('\n')).toEqual(counted.map((cells) => `| ${cells.join(' | ')} |`));
  });

  test('no other variant would keep the promises', () => {
    for (const variant of ['plain', 'usual', 'repaired']) {
      const kept = microservices.promises(runs[variant]).map((promise) => promise.kept);
      expect(kept).toContain(false);
    }
  });
});

describe('the runner', () => {
  test('prints a report without colours when nobody is at a terminal', async () => {
    const { code, stdout } = await demo([]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Scenario 6: two microservices$/m);
    expect(stdout).toMatch(/^ {2}plain +11 +3 +1 +7 +11 +0$/m);
    expect(stdout).toMatch(/^ {2}usual +11 +3 +1 +7 +20 +1$/m);
    expect(stdout).not.toContain('\x1b');
    expect(stdout).not.toContain('BROKEN');
  });

  test('fails, and names the broken promises, when ours does not survive', async () => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'unreset-demo-'));
    const preload = path.join(dir, 'without-unreset.js');
    fs.writeFileSync(preload, `
      const Module = require('node:module');
      const load = Module._load;
      Module._load = (name, ...rest) => (name === 'unreset' ? { fetch } : load(name, ...rest));
    `);
    try {
      const { code, stdout } = await demo(['6'], { NODE_OPTIONS: `--require ${JSON.stringify(preload)}` });
      expect(code).toBe(1);
      expect(stdout).toMatch(/BROKEN ours: every read that met an RST/);
    } finally {
      fs.rmSync(dir, { recursive: true });
    }
  });

  test.each([['99'], ['nonsense'], ['--nonsense']])('refuses %s with what there is', async (arg) => {
    const { code, stdout, stderr } = await demo([arg]);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain(arg.startsWith('--') ? '--nonsense' : '06-microservices');
  });
});

'use strict';

const { runStep, summary } = require('../../scripts/checkout/steps');
const { CARGO_COUNTS, JEST_COUNTS } = require('../../scripts/checkout/counts');

/** A step whose program prints `output` and ends with `status`. */
function step({ output = '', status = 0, counts }) {
  const script = `console.error(${JSON.stringify(output)}); process.exitCode = ${status};`;
  return { name: 'step', command: process.execPath, args: ['-e', script], counts };
}

describe('a step of npm test', () => {
  beforeEach(() => {
    jest.spyOn(process.stdout, 'write').mockReturnValue(true);
    jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    jest.spyOn(console, 'log').mockReturnValue();
    jest.spyOn(console, 'error').mockReturnValue();
  });

  afterEach(() => jest.restoreAllMocks());

  const counted = async (options) => {
    const { passed, failed } = await runStep(step(options), __dirname);
    return { passed, failed };
  };

  it('is one test where its output counts none', async () => {
    expect(await counted({})).toEqual({ passed: 1, failed: 0 });
    expect(await counted({ status: 1 })).toEqual({ passed: 0, failed: 1 });
  });

  it.each([
    ['Tests:       8 passed, 8 total', { passed: 8, failed: 0 }],
    ['Tests:       1 failed, 2 skipped, 5 passed, 8 total', { passed: 5, failed: 1 }],
    ['Tests:       2 skipped, 1 todo, 5 passed, 8 total', { passed: 5, failed: 0 }],
    ['Tests:       3 failed, 3 total', { passed: 0, failed: 3 }],
    ['\u001b[1mTests:       \u001b[22m\u001b[32m8 passed\u001b[39m, 8 total', { passed: 8, failed: 0 }],
  ])('counts what Jest reports: %j', async (output, expected) => {
    expect(await counted({ output, status: expected.failed ? 1 : 0, counts: JEST_COUNTS })).toEqual(expected);
  });

  it('adds up the test binaries of cargo', async () => {
    const output = 'test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out\n\n' +
      'test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out';
    expect(await counted({ output, status: 101, counts: CARGO_COUNTS })).toEqual({ passed: 15, failed: 2 });
  });

  it('fails when its program fails and no test says why, or when no test ran', async () => {
    const output = 'test result: ok. 12 passed; 0 failed; 0 ignored';
    expect(await counted({ output, status: 101, counts: CARGO_COUNTS })).toEqual({ passed: 12, failed: 1 });
    expect(await counted({ output: 'No tests found', counts: JEST_COUNTS })).toEqual({ passed: 0, failed: 1 });
  });

  it('fails when its program cannot be run', async () => {
    const { failed } = await runStep({ name: 'step', command: '/nowhere/program', args: [] }, __dirname);
    expect(failed).toBe(1);
  });
});

describe('the summary of npm test', () => {
  it('ends with one line of totals', () => {
    const text = summary([
      { name: 'fmt', passed: 1, failed: 0, seconds: 0.31 },
      { name: 'jest', passed: 40, failed: 2, seconds: 61.2 },
    ]);

    expect(text.split('\n').at(-1)).toBe('41 passed, 2 failed');
    expect(text).toContain('FAIL  jest');
    expect(text).toContain('61.2 s');
  });
});

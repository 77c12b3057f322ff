'use strict';

/** `npm run soak` in short: the same calls, a few of them; and with leaks, which it must find. */

const path = require('node:path');

const { soak } = require('../../benchmark/soak/lib/soak');

const PROGRAMS = path.join(__dirname, 'programs');

const usual = { mix: 'usual', calls: 1000, minutes: Infinity, seed: 4 };
const failing = { mix: 'failing', calls: 2000, minutes: Infinity, seed: 4 };

/** At the same time: each spends half of its own waiting for connections to have idled long enough. */
let runs;

beforeAll(async () => {
  runs = await Promise.all([
    soak(usual),
    soak(failing),
    soak({ ...failing, calls: 800 }, { preload: path.join(PROGRAMS, 'soak-leaks.js'), patience: 2000 }),
    soak({ ...failing, calls: 1000 }, { preload: path.join(PROGRAMS, 'soak-growth.js') }),
  ]);
}, 90_000);

test('nothing stays behind of calls of every kind, a third of them struck', () => {
  expect(runs[0]).toMatchObject({ settled: 1000, leaks: [] });
});

test('nothing stays behind of calls that all fail or are aborted', () => {
  expect(runs[1]).toMatchObject({ settled: 2000, leaks: [] });
});

test('what is left behind is found, and named', () => {
  expect(runs[2].leaks).toEqual(expect.arrayContaining([
    expect.stringMatching(/listener was left on the signal/),
    expect.stringMatching(/1 calls were still open after call \d+/),
    expect.stringMatching(/handles? that keeps? the process alive left behind \(.*Timeout/),
    expect.stringMatching(/file descriptors? left behind/),
    expect.stringMatching(/connections? left behind/),
    expect.stringMatching(/threads? left behind/),
    expect.stringMatching(/servers still have \d+ connection/),
    expect.stringMatching(/process did not end by itself/),
  ]));
});

test('memory that grows with the calls is found', () => {
  expect(runs[3].leaks).toEqual([expect.stringMatching(/^JavaScript's heap grew by \d+\.\d MiB after the warm-up/)]);
});

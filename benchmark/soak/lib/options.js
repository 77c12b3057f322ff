'use strict';

const { parseArguments, UsageError } = require('../../lib/arguments');

/** What DESIGN asks for: calls of every kind, a third of them struck. */
const CALLS = 100_000;
/** Enough for the generators to reach what the 256 of an ordinary test run do not. */
const FUZZ_CASES = 5000;

const USAGE = `Usage: npm run soak -- [one of these] [--seed n]

  --calls n       so many calls of every kind, a third of them reset or stalled (${CALLS.toLocaleString('en')})
  --minutes n     the same calls for so many minutes
  --failing n     so many calls that all fail or are aborted
  --fuzz [n]      no calls: every property test of the Rust half with n cases (${FUZZ_CASES.toLocaleString('en')})

  --seed n        of everything that is left to chance (random; printed)
  --help
`;

const GOALS = ['calls', 'minutes', 'failing', 'fuzz'];

/**
 * @typedef {object} SoakOptions
 * @property {'usual' | 'failing'} mix which kinds of calls are made
 * @property {number} calls `Infinity` where the clock ends the run
 * @property {number} minutes `Infinity` where the number of calls ends it
 * @property {number} seed
 */

/**
 * @param {string[]} args
 * @returns {{ help: true } | { fuzz: number } | SoakOptions}
 * @throws {UsageError}
 */
function readOptions(args) {
  const values = parseArguments(withFuzzCases(args), {
    calls: { type: 'string' },
    minutes: { type: 'string' },
    failing: { type: 'string' },
    fuzz: { type: 'string' },
    seed: { type: 'string' },
    help: { type: 'boolean', default: false },
  });
  if (values.help) return { help: true };
  const goals = GOALS.filter((name) => values[name] !== undefined);
  if (goals.length > 1) throw new UsageError(`--${goals[0]} and --${goals[1]} cannot be given together`);

  if (values.fuzz !== undefined) {
    if (values.seed !== undefined) throw new UsageError('--seed means nothing to --fuzz: proptest records what failed');
    return { fuzz: count('--fuzz', values.fuzz) };
  }
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : number('--seed', values.seed);
  if (values.failing !== undefined) {
    return { mix: 'failing', calls: count('--failing', values.failing), minutes: Infinity, seed };
  }
  if (values.minutes !== undefined) {
    return { mix: 'usual', calls: Infinity, minutes: duration('--minutes', values.minutes), seed };
  }
  const calls = values.calls === undefined ? CALLS : count('--calls', values.calls);
  return { mix: 'usual', calls, minutes: Infinity, seed };
}

/** `parseArgs` knows no option whose value may be left out. */
function withFuzzCases(args) {
  const at = args.indexOf('--fuzz');
  if (at === -1 || /^[^-]/.test(args[at + 1] ?? '')) return args;
  return args.toSpliced(at, 1, `--fuzz=${FUZZ_CASES}`);
}

function count(option, text) {
  const value = number(option, text);
  if (value === 0) throw new UsageError(`${option} takes a whole number from 1 on`);
  return value;
}

function number(option, text) {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < 0) {
    throw new UsageError(`${option} takes a whole number, not "${text}"`);
  }
  return value;
}

function duration(option, text) {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0) {
    throw new UsageError(`${option} takes a number of minutes above 0, not "${text}"`);
  }
  return value;
}

module.exports = { readOptions, USAGE, UsageError };

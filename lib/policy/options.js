'use strict';

/**
 * The `retry` option, which every surface of this package takes in the same form: checked here, before anything is
 * sent, and handed to the native policy as JSON. The defaults are the native policy's (`docs/policy.md`): what
 * the caller does not give is left out.
 */

const {
  LONGEST_TIMER,
  checkArray,
  checkBoolean,
  checkFunction,
  checkMilliseconds,
  checkNumber,
  checkOptions,
  invalidType,
  invalidValue,
  outOfRange,
} = require('../validate');
const { TOKEN, TOKEN_CHARACTERS } = require('../token');

/** What a 32-bit counter holds: `retries: Infinity` for every practical purpose. */
const MOST_RETRIES = 2 ** 32 - 1;
const MOST_CALLS = 2 ** 32 - 1;

const KEYS = Object.freeze([
  'retries', 'backoff', 'within', 'methods', 'statuses', 'respectRetryAfter', 'budget', 'breaker', 'onRetry',
  'shouldRetry',
]);

/**
 * @typedef {object} RetryOptions
 * @property {string} json what the native policy takes
 * @property {Function | undefined} onRetry
 * @property {Function | undefined} shouldRetry
 * @property {Readonly<object>} options what `json` says, for options that are layered on these
 */

/** @type {Readonly<RetryOptions>} */
const DEFAULTS = finished({}, undefined, undefined);

/**
 * Checks a `retry` option.
 * @param {unknown} value `false`, a number of retries, or an object; `undefined` is the defaults
 * @param {string} [name] what the caller calls it (`reconnect` in sockets)
 * @param {Readonly<RetryOptions>} [defaults] an earlier result, the client's: what `value` does not give is taken
 *   from it. `backoff`, `budget` and `breaker` are layered key by key, lists are replaced.
 * @returns {Readonly<RetryOptions>} `defaults` itself where nothing is given, so that a caller can tell by identity
 * @throws {TypeError | RangeError} which name the option and what is accepted
 *
 * @example
 * const client = parseRetryOptions({ retries: 5, backoff: { base: 50 } });
 * const call = parseRetryOptions({ backoff: { cap: 1000 } }, 'retry', client);
 * call.json; // '{"retries":5,"backoff":{"base":50,"cap":1000}}'
 */
function parseRetryOptions(value, name = 'retry', defaults = DEFAULTS) {
  if (value === undefined) return defaults;
  const { onRetry, shouldRetry, ...given } = checkRetry(value, name);
  const options = { ...defaults.options, ...given };
  if (given.backoff) options.backoff = layeredBackoff(given.backoff, defaults.options.backoff, name);
  if (given.budget && defaults.options.budget) options.budget = { ...defaults.options.budget, ...given.budget };
  if (given.breaker && defaults.options.breaker) options.breaker = layeredBreaker(given.breaker, defaults.options.breaker);
  return finished(options, onRetry ?? defaults.onRetry, shouldRetry ?? defaults.shouldRetry);
}

function checkRetry(value, name) {
  if (value === false) return { retries: 0 };
  if (typeof value === 'number') return { retries: checkRetries(value, name) };

  const options = checkOptions(value, name, KEYS, 'false, a number of retries, or an object');
  for (const key of Object.keys(options)) options[key] = checks[key](options[key], `${name}.${key}`);
  return options;
}

/** How each option is checked; what is returned goes into the JSON. */
const checks = {
  retries: checkRetries,
  backoff: checkBackoff,
  within: checkWithin,
  methods: (value, name) => checkArray(value, name, 'HTTP methods', checkMethod),
  statuses: (value, name) => checkArray(value, name, 'HTTP statuses', checkStatus),
  respectRetryAfter: checkBoolean,
  budget: checkBudget,
  breaker: checkBreaker,
  onRetry: checkFunction,
  shouldRetry: checkFunction,
};

function checkRetries(value, name) {
  // JSON knows no Infinity.
  return Math.min(checkNumber(value, name, { max: MOST_RETRIES, integer: true, infinity: true }), MOST_RETRIES);
}

function checkWithin(value, name) {
  // The 24.8 days of a timer are as good as no limit, and a wait that is longer could not be timed.
  return Math.min(checkMilliseconds(value, name, { infinity: true }), LONGEST_TIMER);
}

function checkBackoff(value, name) {
  const backoff = checkOptions(value, name, ['base', 'cap']);
  for (const key of Object.keys(backoff)) checkMilliseconds(backoff[key], `${name}.${key}`);
  return backoff;
}

function checkMethod(value, name) {
  if (typeof value !== 'string') throw invalidType(name, 'an HTTP method', value);
  if (!TOKEN.test(value)) throw invalidValue(name, `an HTTP method (${TOKEN_CHARACTERS})`, value);
  return value;
}

function checkStatus(value, name) {
  return checkNumber(value, name, { min: 100, max: 999, integer: true });
}

function checkBudget(value, name) {
  if (value === false) return false;
  const budget = checkOptions(value, name, ['ratio', 'perSecond'], 'false or an object');
  for (const key of Object.keys(budget)) checkNumber(budget[key], `${name}.${key}`);
  return budget;
}

function checkBreaker(value, name) {
  if (typeof value === 'boolean') return value;
  const breaker = checkOptions(value, name, Object.keys(breakerChecks), 'true, false or an object');
  for (const key of Object.keys(breaker)) breakerChecks[key](breaker[key], `${name}.${key}`);
  return breaker;
}

const breakerChecks = {
  window: (value, name) => checkMilliseconds(value, name, { min: 1 }),
  minCalls: checkCount,
  failureRate: checkRate,
  openFor: (value, name) => checkMilliseconds(value, name, { min: 1 }),
  probes: checkCount,
};

function checkCount(value, name) {
  return checkNumber(value, name, { min: 1, max: MOST_CALLS, integer: true });
}

/** Not 0: a breaker that opens when nothing has failed would never close. */
function checkRate(value, name) {
  if (checkNumber(value, name, { max: 1 }) === 0) throw outOfRange(name, 'a number above 0, up to 1', value);
  return value;
}

function layeredBackoff(given, under, name) {
  const backoff = { ...under, ...given };
  // A cap alone may go below a base that was not given with it: then the cap is the base. A base above a known
  // cap would be ignored in silence.
  if (given.base > backoff.cap) {
    throw outOfRange(`${name}.backoff.base`, `at most ${name}.backoff.cap (${backoff.cap})`, given.base);
  }
  return backoff;
}

/** `true` alone changes nothing of a breaker that is there. */
function layeredBreaker(given, under) {
  if (given === true) return under;
  return under === true ? given : { ...under, ...given };
}

function finished(options, onRetry, shouldRetry) {
  return Object.freeze({ json: JSON.stringify(options), onRetry, shouldRetry, options: Object.freeze(options) });
}

module.exports = { parseRetryOptions };

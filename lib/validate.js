'use strict';

/**
 * Checks of what a caller passes in, all in one voice: the message names the option as the caller wrote it
 * (`retry.backoff.base`), says what is accepted and what came instead. The codes are Node's own.
 *
 * Nothing here uses `instanceof` on the caller's values: under Jest, and across `vm` contexts, they come from
 * another realm.
 */

const { inspect } = require('node:util');

/** The longest wait that a timer of Node counts; a longer one fires after one millisecond instead. */
const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * @param {unknown} value
 * @param {string} name what the caller calls it
 * @param {object} [limits]
 * @param {number} [limits.min]
 * @param {number} [limits.max]
 * @param {boolean} [limits.integer]
 * @param {boolean} [limits.infinity] accept `Infinity`, whatever `max` is
 * @param {string} [limits.unit] `milliseconds`, for the message
 * @returns {number}
 * @throws {TypeError} ERR_INVALID_ARG_TYPE
 * @throws {RangeError} ERR_OUT_OF_RANGE
 */
function checkNumber(value, name, limits = {}) {
  const { min = 0, max = Number.MAX_SAFE_INTEGER, integer = false, infinity = false } = limits;
  if (typeof value !== 'number') throw invalidType(name, acceptedNumber(limits), value);
  if (infinity && value === Infinity) return value;
  // Written so that NaN fails as well.
  if (!(value >= min && value <= max) || (integer && !Number.isInteger(value))) {
    throw outOfRange(name, acceptedNumber(limits), value);
  }
  return value;
}

/**
 * @param {unknown} value
 * @param {string} name
 * @param {object} [limits] `min`, and `infinity` to accept it as "no limit"
 * @returns {number} milliseconds that a timer can count
 */
function checkMilliseconds(value, name, limits) {
  return checkNumber(value, name, { max: LONGEST_TIMER, unit: 'milliseconds', ...limits });
}

/**
 * @param {unknown} value
 * @param {string} name
 * @returns {boolean}
 */
function checkBoolean(value, name) {
  if (typeof value !== 'boolean') throw invalidType(name, 'true or false', value);
  return value;
}

/**
 * @param {unknown} value
 * @param {string} name
 * @returns {Function}
 */
function checkFunction(value, name) {
  if (typeof value !== 'function') throw invalidType(name, 'a function', value);
  return value;
}

/**
 * @template T
 * @param {unknown} value
 * @param {string} name
 * @param {string} elements what the elements are, in the plural
 * @param {(element: unknown, name: string) => T} checkElement
 * @returns {T[]} a new array
 */
function checkArray(value, name, elements, checkElement) {
  if (!Array.isArray(value)) throw invalidType(name, `an array of ${elements}`, value);
  // Not `map`: it skips holes, which then are neither checked nor numbers.
  return Array.from(value, (element, index) => checkElement(element, `${name}[${index}]`));
}

/**
 * An object of options. A misspelt option that is silently ignored is found in production, so unknown keys throw.
 * @param {unknown} value
 * @param {string} name
 * @param {readonly string[]} keys the options there are
 * @param {string} [accepted] what else may stand in place of the object, for the message
 * @returns {Record<string, unknown>} the options that are given; `undefined` counts as not given
 */
function checkOptions(value, name, keys, accepted = 'an object') {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalidType(name, accepted, value);
  for (const key of Object.keys(value)) {
    if (!keys.includes(key)) throw unknownOption(`${name}.${key}`, keys);
  }
  // By name, not by own key: options may be inherited, or getters of a class. Each is read once.
  const given = keys.map((key) => [key, value[key]]);
  return Object.fromEntries(given.filter(([, option]) => option !== undefined));
}

/**
 * @param {string} name
 * @param {string} accepted
 * @param {unknown} value
 */
function invalidType(name, accepted, value) {
  return withCode(TypeError, 'ERR_INVALID_ARG_TYPE', complaint(name, accepted, value));
}

/**
 * @param {string} name
 * @param {string} accepted
 * @param {unknown} value
 */
function outOfRange(name, accepted, value) {
  return withCode(RangeError, 'ERR_OUT_OF_RANGE', complaint(name, accepted, value));
}

/**
 * @param {string} name
 * @param {string} accepted
 * @param {unknown} value
 */
function invalidValue(name, accepted, value) {
  return withCode(TypeError, 'ERR_INVALID_ARG_VALUE', complaint(name, accepted, value));
}

/**
 * For what may be a secret, as the value of a header: the message does not repeat it.
 *
 * @param {string} name
 * @param {string} accepted
 */
function invalidSecret(name, accepted) {
  return invalidArgument(`${name} must be ${accepted}.`);
}

/**
 * @param {string} message in the voice of the others: begins with the name, says what is accepted
 * @returns {TypeError} ERR_INVALID_ARG_VALUE
 */
function invalidArgument(message) {
  return withCode(TypeError, 'ERR_INVALID_ARG_VALUE', message);
}

/**
 * @param {unknown} value an AbortSignal, also one of another realm or a polyfill's
 * @param {string} name
 * @returns {AbortSignal}
 */
function checkSignal(value, name) {
  const isSignal =
    typeof value === 'object' && value !== null && typeof value.aborted === 'boolean' &&
    typeof value.addEventListener === 'function';
  if (!isSignal) throw invalidType(name, 'an AbortSignal', value);
  return value;
}

function unknownOption(name, keys) {
  return withCode(TypeError, 'ERR_INVALID_ARG_VALUE', `${name} is not an option. Accepted: ${keys.join(', ')}.`);
}

function complaint(name, accepted, value) {
  return `${name} must be ${accepted}. Received ${shown(value)}.`;
}

function withCode(ErrorClass, code, message) {
  return Object.assign(new ErrorClass(message), { code });
}

function acceptedNumber({ min = 0, max, integer, infinity, unit }) {
  const what = `${integer ? 'a whole number' : 'a number'}${unit ? ` of ${unit}` : ''}`;
  const range = max === undefined ? `of at least ${min}` : `from ${min} to ${max}`;
  return `${what}${unit ? ',' : ''} ${range}${infinity ? ', or Infinity' : ''}`;
}

/** Short, on one line, and without running code of the caller's. */
function shown(value) {
  const text = inspect(value, { depth: 0, customInspect: false, breakLength: Infinity, maxStringLength: 40 });
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

module.exports = {
  LONGEST_TIMER,
  checkArray,
  checkBoolean,
  checkFunction,
  checkMilliseconds,
  checkNumber,
  checkOptions,
  checkSignal,
  invalidArgument,
  invalidSecret,
  invalidType,
  invalidValue,
  outOfRange,
};

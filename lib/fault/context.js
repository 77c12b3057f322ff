'use strict';

/** The second argument of `classify`. */

const PHASES = ['resolve', 'connect', 'handshake', 'send', 'wait', 'receive', 'idle'];
const DELIVERIES = ['not-sent', 'unknown', 'answered'];
const KEYS = ['phase', 'delivery', 'signal'];

/**
 * @param {unknown} context
 * @returns {{ phase?: string, delivery?: string, signal?: AbortSignal }}
 * @throws {TypeError} that names the option and what is accepted
 */
function parseContext(context) {
  if (context === undefined) return {};
  if (context === null || typeof context !== 'object') {
    throw invalid(`context must be an object, not ${named(context)}`);
  }
  const unknown = Object.keys(context).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) {
    throw invalid(`context.${unknown} is not an option; there are ${KEYS.join(', ')}`);
  }
  return {
    phase: oneOf(PHASES, context.phase, 'phase'),
    delivery: oneOf(DELIVERIES, context.delivery, 'delivery'),
    signal: abortSignal(context.signal),
  };
}

function oneOf(words, value, name) {
  if (value === undefined || words.includes(value)) return value;
  throw invalid(`context.${name} must be one of ${words.join(', ')}, not ${named(value)}`);
}

/** By its members and not by `instanceof`: the signal may be of another realm, or a polyfill's. */
function abortSignal(value) {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'object' && typeof value.aborted === 'boolean' && 'reason' in value) return value;
  throw invalid(`context.signal must be an AbortSignal, not ${named(value)}`);
}

function named(value) {
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'function') return 'a function';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

function invalid(message) {
  return Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_VALUE' });
}

module.exports = { parseContext };

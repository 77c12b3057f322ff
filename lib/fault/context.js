'use strict';

/** The second argument of `classify`. */

const { checkOptions, checkSignal, invalidValue } = require('../validate');

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
  const { phase, delivery, signal } = checkOptions(context, 'context', KEYS);
  return {
    phase: checkWord(phase, 'context.phase', PHASES),
    delivery: checkWord(delivery, 'context.delivery', DELIVERIES),
    signal: signal === undefined || signal === null ? undefined : checkSignal(signal, 'context.signal'),
  };
}

function checkWord(value, name, words) {
  if (value === undefined || words.includes(value)) return value;
  throw invalidValue(name, `one of ${words.join(', ')}`, value);
}

module.exports = { parseContext };

'use strict';

/** Options of a single call, in its config: `{ unreset: { retry, timeout } }`. */

const { policyOf } = require('../../policy');
const { checkMilliseconds, checkOptions } = require('../../validate');

const KEYS = Object.freeze(['retry', 'timeout']);

/**
 * @typedef {object} Settings of an instance
 * @property {import('../../policy/policy').Policy} policy
 * @property {number | undefined} total in ms
 * @property {Function | undefined} onRequest
 *
 * @param {unknown} given `config.unreset`: from the call, from `defaults`, or from an interceptor
 * @param {Settings} settings of the instance, which `given` is laid over
 * @returns {Settings}
 * @throws {TypeError | RangeError} which name the option and what is accepted
 */
function settingsOfCall(given, settings) {
  if (given === undefined) return settings;
  const { retry, timeout } = checkOptions(given, 'unreset', KEYS);
  return {
    policy: policyOf(retry, 'unreset.retry', settings.policy),
    total: parseTimeout(timeout, 'unreset.timeout') ?? settings.total,
    onRequest: settings.onRequest,
  };
}

/**
 * @param {unknown} value `{ total }`: the end of the whole call. The limit of one attempt is axios's own `timeout`.
 * @param {string} name
 * @returns {number | undefined} ms
 */
function parseTimeout(value, name) {
  if (value === undefined) return undefined;
  const { total } = checkOptions(value, name, ['total']);
  return total === undefined ? undefined : checkMilliseconds(total, `${name}.total`, { min: 1 });
}

module.exports = { settingsOfCall, parseTimeout };

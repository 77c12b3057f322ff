'use strict';

/** The options of `wrapFetch`, and those of our own in a call's `init`. */

const { checkOnRequest } = require('../../policy/on-request');
const { policyOf, retryOptionsOf } = require('../../policy/retry-policy');
const { withRecovery } = require('../../policy/recovery');
const { checkMilliseconds, checkOptions, invalidArgument, invalidType } = require('../../validate');

/** In ms. The client has its own limits on headers and body, so there are none by default. */
const NO_LIMITS = Object.freeze({ attempt: Infinity, total: Infinity, headers: Infinity, body: Infinity });

/**
 * @typedef {object} ClientOptions
 * @property {import('../../policy/policy').Policy} policy
 * @property {Readonly<typeof NO_LIMITS>} limits
 * @property {Function | undefined} onRequest
 * @property {[string, string][]} [headers] sent where a call has none of the name
 * @property {string} surface what the calls are told as
 * @property {(error: unknown, fault: import('../../..').Fault, recovery: import('../../..').Recovery) => unknown} describe
 *   makes what a call is rejected with of what the client did
 */

/**
 * @param {unknown} options
 * @returns {ClientOptions}
 */
function parseWrapOptions(options = {}) {
  const { retry, timeout, onRequest } = checkOptions(options, 'options', ['retry', 'timeout', 'onRequest']);
  return {
    policy: policyOf(retry, 'retry'),
    limits: parseLimits(timeout, NO_LIMITS),
    onRequest: checkOnRequest(onRequest),
    surface: 'wrapFetch',
    describe: (error, fault, recovery) => withRecovery(error, recovery),
  };
}

/**
 * What a call changes of its client's options.
 *
 * @param {unknown} init
 * @param {ClientOptions} client
 * @returns {Pick<ClientOptions, 'policy' | 'limits'>} `client` itself where nothing is changed
 */
function parseCallOptions(init, client) {
  if (init?.retry === undefined && !isOurTimeout(init?.timeout)) return client;
  const { policy, limits } = client;
  return {
    policy: policy.under(retryOptionsOf(init.retry, 'retry', policy.retry)),
    limits: isOurTimeout(init.timeout) ? parseLimits(init.timeout, limits) : limits,
  };
}

/** A number is an option of node-fetch 2, which goes there. */
function isOurTimeout(timeout) {
  return timeout !== undefined && typeof timeout !== 'number';
}

function parseLimits(timeout, defaults) {
  if (timeout === undefined) return defaults;
  const limits = { ...defaults };
  if (timeout?.connect !== undefined) {
    throw invalidArgument('timeout.connect must be left out: a wrapped client connects by itself. Set its own limit.');
  }
  for (const [part, given] of Object.entries(checkOptions(timeout, 'timeout', Object.keys(defaults)))) {
    limits[part] = checkLimit(given, `timeout.${part}`);
  }
  return limits;
}

function checkLimit(value, name) {
  if (value === false) return Infinity;
  if (typeof value !== 'number') throw invalidType(name, 'a number of milliseconds, or false for no limit', value);
  return checkMilliseconds(value, name, { min: 1, infinity: true });
}

module.exports = { parseWrapOptions, parseCallOptions, isOurTimeout };

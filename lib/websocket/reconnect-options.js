'use strict';

/** What a WebSocket does when its connection is lost: `reconnect`, which is a retry policy without its end. */

const { isPolicy, policyOf } = require('../policy/retry-policy');
const { parseRetryOptions } = require('../policy/options');
const { checkArray, checkMilliseconds, checkNumber, invalidArgument } = require('../validate');

/** The options of a `WebSocket` that are read here. */
const RECONNECT_KEYS = ['reconnect', 'shouldReconnect', 'minUptime'];

/** Without end; both are the most that `parseRetryOptions` knows. */
const USUAL = parseRetryOptions({ retries: Infinity, within: Infinity }, 'reconnect').options;
/** What only calls have. */
const NOT_OF_SOCKETS = ['methods', 'statuses', 'respectRetryAfter', 'budget', 'breaker', 'shouldRetry'];

const MIN_UPTIME = 5_000;

/** @param {Record<string, unknown>} options those of the `WebSocket` */
function parseReconnect({ reconnect: value, minUptime: outer = MIN_UPTIME }) {
  const name = 'options.reconnect';
  const { codes = [], minUptime = outer, retry } = separated(value, name);
  const policy = policyOf(retry, name);
  const { retries = USUAL.retries, within = USUAL.within, backoff } = policy.retry.options;
  return {
    policy,
    onRetry: policy.retry.onRetry,
    reconnect: JSON.stringify({ retries, within, backoff }),
    codes: checkArray(codes, `${name}.codes`, 'close codes', checkCode),
    minUptime: checkMilliseconds(minUptime, minUptime === outer ? 'options.minUptime' : `${name}.minUptime`),
  };
}

/** Our own members, and what is left for the policy. */
function separated(value, name) {
  if (typeof value !== 'object' || value === null || isPolicy(value)) return { retry: value };
  for (const key of NOT_OF_SOCKETS) {
    if (value[key] !== undefined) throw invalidArgument(`${name}.${key} must be left out: it has no meaning for a WebSocket.`);
  }
  const { codes, minUptime, ...retry } = value;
  return { codes, minUptime, retry };
}

function checkCode(value, name) {
  return checkNumber(value, name, { min: 1000, max: 4999, integer: true });
}

module.exports = { RECONNECT_KEYS, parseReconnect };

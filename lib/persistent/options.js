'use strict';

/** The options of a persistent connection, checked when it is made; times are milliseconds. */

const { parseRetryOptions } = require('../policy/options');
const { policyOf } = require('../policy');
const {
  checkBoolean, checkFunction, checkMilliseconds, checkNumber, checkOptions, checkSignal, invalidArgument, invalidType,
} = require('../validate');

/** Without end, as a `Socket` comes back; both are the most that `parseRetryOptions` knows. */
const RECONNECT = parseRetryOptions({ retries: Infinity, within: Infinity }, 'reconnect');
/** What only calls have. */
const NOT_OF_CONNECTIONS = ['methods', 'statuses', 'respectRetryAfter', 'budget', 'breaker'];

const TIMEOUTS = Object.freeze({ connect: 10_000, wait: 10_000, ping: 5_000, close: 10_000 });
/** The longest silence that is trusted: a ping is a round trip, and what forgets idle connections waits for a minute or more. */
const PING_AFTER = 15_000;
const MAX_WAITING = 1_000;

/**
 * @typedef {object} Options
 * @property {string} name
 * @property {import('../policy/policy').Policy} policy of `run`
 * @property {import('../policy/options').RetryOptions} reconnect
 * @property {{ connect: number, wait: number, ping: number, close: number }} timeout
 * @property {number} pingAfter `Infinity`: not before a death has taught it
 * @property {boolean} pings
 * @property {number} maxWaiting
 */

/**
 * @param {unknown} value
 * @param {string} [label]
 * @returns {Options}
 * @throws {TypeError | RangeError} which name the option and what is accepted
 */
function parseOptions(value = {}, label = 'options') {
  const keys = ['name', 'retry', 'reconnect', 'timeout', 'pingAfter', 'maxWaiting'];
  const { name = '', retry, reconnect, timeout, pingAfter, maxWaiting = MAX_WAITING } = checkOptions(value, label, keys);
  if (typeof name !== 'string') throw invalidType(`${label}.name`, 'a string', name);
  return {
    name,
    policy: policyOf(retry, `${label}.retry`),
    reconnect: reconnectOf(reconnect, `${label}.reconnect`),
    timeout: timeoutsOf(timeout, `${label}.timeout`),
    pings: pingAfter !== false,
    pingAfter: pingAfterOf(pingAfter, `${label}.pingAfter`),
    maxWaiting: checkNumber(maxWaiting, `${label}.maxWaiting`, { min: 0, infinity: true }),
  };
}

function reconnectOf(value, label) {
  for (const key of NOT_OF_CONNECTIONS) {
    if (value?.[key] === undefined) continue;
    throw invalidArgument(`${label}.${key} must be left out: it has no meaning for a connection.`);
  }
  return parseRetryOptions(value, label, RECONNECT);
}

function timeoutsOf(value, label) {
  const given = value === undefined ? {} : checkOptions(value, label, Object.keys(TIMEOUTS));
  for (const key of Object.keys(given)) checkMilliseconds(given[key], `${label}.${key}`, { infinity: true });
  return { ...TIMEOUTS, ...given };
}

function pingAfterOf(value, label) {
  if (value === undefined) return PING_AFTER;
  if (typeof value === 'boolean' && !value) return Infinity;
  return checkMilliseconds(value, label, { infinity: true });
}

/**
 * What a single `run` or `get` takes.
 *
 * @param {unknown} value
 * @param {readonly string[]} keys
 */
function parseCall(value, keys) {
  if (value === undefined) return { idempotent: false, signal: undefined, timeout: undefined };
  const { idempotent = false, signal, timeout } = checkOptions(value, 'options', keys);
  return {
    idempotent: checkBoolean(idempotent, 'options.idempotent'),
    signal: signal === undefined || signal === null ? undefined : checkSignal(signal, 'options.signal'),
    timeout: timeout === undefined || timeout === Infinity ? undefined : checkTimeout(timeout),
  };
}

function checkTimeout(value) {
  return checkMilliseconds(value, 'options.timeout', { min: 1 });
}

/**
 * What `persistent` is given: how to make, end, test and judge a connection.
 *
 * @param {unknown} value
 */
function parseSource(value) {
  const { connect, close, ping, isBroken } = checkOptions(value, 'source', ['connect', 'close', 'ping', 'isBroken']);
  checkFunction(connect, 'source.connect');
  checkFunction(close, 'source.close');
  if (ping !== undefined) checkFunction(ping, 'source.ping');
  if (isBroken !== undefined) checkFunction(isBroken, 'source.isBroken');
  // Called on the object, for sources that are instances of a class.
  const own = value;
  return {
    connect: (context) => own.connect(context),
    close: (connection) => own.close(connection),
    ping: ping && ((connection, context) => own.ping(connection, context)),
    isBroken: isBroken && ((connection, error) => own.isBroken(connection, error)),
  };
}

module.exports = { parseOptions, parseCall, parseSource };

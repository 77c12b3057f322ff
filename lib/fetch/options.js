'use strict';

/** The options of `createFetch`, and those of our own in a call's `init`: all but `headers`, which it has anyway. */

const { checkOnRequest } = require('../policy/on-request');
const { policyOf, retryOptionsOf } = require('../policy/retry-policy');
const { checkBoolean, checkMilliseconds, checkNumber, checkOptions, invalidType, invalidValue } = require('../validate');
const { headerPairs } = require('./headers');
const { parseProxy, checkPoolOfProxies } = require('./proxy-options');
const { POOL_OPTIONS, parsePoolOptions, parseLookup } = require('./pool-options');
const { parseTls } = require('./tls-options');
const { TRANSFER } = require('./transfer');

/** Milliseconds; `null` is no limit. Headers and body as the built-in fetch has them, connect as undici. */
const DEFAULT_TIMEOUTS = Object.freeze({ connect: 10_000, headers: 300_000, body: 300_000, attempt: null, total: null });

/** `maxResponseSize` in bytes; `null` is the usual limit, `false` none. */
const DEFAULT_DECODING = Object.freeze({ decompress: true, maxResponseSize: null });

/** What `resume` may be, and what native code calls it. */
const RESUME = new Map([[false, 'never'], ['validated', 'validated'], ['trusting', 'trusting']]);

const CLIENT_OPTIONS = [
  'retry', 'timeout', 'resume', 'decompress', 'maxResponseSize', 'headers', 'proxy', ...POOL_OPTIONS, 'lookup', 'tls',
  'onRequest',
];

/**
 * @param {import('../..').CreateFetchOptions} options
 * @returns {{ policy: import('../policy/policy').Policy, onRequest: Function | undefined, timeouts: typeof DEFAULT_TIMEOUTS,
 *   decoding: typeof DEFAULT_DECODING, headers: [string, string][], lookup: Function | undefined,
 *   rejectUnauthorized: boolean | undefined, json: string }}
 */
function parseClientOptions(options = {}) {
  const given = checkOptions(options, 'options', CLIENT_OPTIONS);
  const policy = policyOf(given.retry, 'retry');
  const onRequest = checkOnRequest(given.onRequest);
  const timeouts = parseTimeouts(given.timeout, 'timeout', DEFAULT_TIMEOUTS);
  const resume = parseResume(given.resume, 'resume');
  const decoding = parseDecoding(given, DEFAULT_DECODING);
  const headers = headerPairs(given.headers);
  const proxies = parseProxy(given.proxy, 'proxy');
  const lookup = parseLookup(given);
  const pool = parsePoolOptions(given);
  checkPoolOfProxies(given, proxies);
  const tls = parseTls(given.tls);
  const rest = JSON.stringify({ timeout: timeouts, resume, decoding, tls: tls.native, proxies, pool });
  const json = `{"retry":${policy.retry.json},${rest.slice(1)}`;
  const { rejectUnauthorized } = tls;
  return { policy, onRequest, timeouts, decoding, headers, lookup, rejectUnauthorized, json };
}

/**
 * What a call changes of its client's options: JSON for native code, if anything.
 *
 * @param {import('../..').FetchInit} init
 * @param {ReturnType<typeof parseClientOptions>} client
 */
function parseCallOptions(init, client) {
  const under = client.policy.retry;
  const retry = retryOptionsOf(init.retry, 'retry', under);
  const parts = [];
  if (retry !== under) parts.push(`"retry":${retry.json}`);
  if (init.timeout !== undefined) {
    parts.push(`"timeout":${JSON.stringify(parseTimeouts(init.timeout, 'timeout', client.timeouts))}`);
  }
  if (init.resume !== undefined) parts.push(`"resume":"${parseResume(init.resume, 'resume')}"`);
  const decoding = parseDecoding(init, client.decoding);
  if (decoding !== client.decoding) parts.push(`"decoding":${JSON.stringify(decoding)}`);
  const transfer = init[TRANSFER];
  if (transfer !== undefined) parts.push(`"readAhead":${transfer.readAhead}`);
  if (transfer?.start !== undefined) parts.push(`"start":${JSON.stringify(transfer.start)}`);
  return { retry, json: parts.length === 0 ? undefined : `{${parts.join()}}` };
}

function parseResume(value, name) {
  if (value === undefined) return undefined;
  if (!RESUME.has(value)) throw invalidValue(name, "false, 'validated' or 'trusting'", value);
  return RESUME.get(value);
}

function parseTimeouts(value, name, defaults) {
  if (value === undefined) return defaults;
  const timeouts = { ...defaults };
  for (const [part, given] of Object.entries(checkOptions(value, name, Object.keys(defaults)))) {
    timeouts[part] = checkLimit(given, `${name}.${part}`);
  }
  return timeouts;
}

function parseDecoding({ decompress, maxResponseSize }, defaults) {
  if (decompress === undefined && maxResponseSize === undefined) return defaults;
  return {
    decompress: decompress === undefined ? defaults.decompress : checkBoolean(decompress, 'decompress'),
    maxResponseSize: maxResponseSize === undefined ? defaults.maxResponseSize : checkSize(maxResponseSize, 'maxResponseSize'),
  };
}

/** Not 0, which elsewhere means no limit. */
function checkSize(value, name) {
  if (value === false || value === Infinity) return false;
  if (typeof value !== 'number') throw invalidType(name, 'a number of bytes, or false for no limit', value);
  return checkNumber(value, name, { min: 1, integer: true, unit: 'bytes' });
}

/** `false` and `Infinity` are no limit. */
function checkLimit(value, name) {
  if (value === false || value === Infinity) return null;
  if (typeof value !== 'number') throw invalidType(name, 'a number of milliseconds, or false for no limit', value);
  return checkMilliseconds(value, name, { min: 1 });
}

module.exports = { parseClientOptions, parseCallOptions, parseTimeouts, parseResume, DEFAULT_TIMEOUTS };

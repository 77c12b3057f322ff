'use strict';

/** The options of `download`, `downloadTo` and `resumable`, checked before anything is opened. */

const { clientOf } = require('../fetch');
const { isUrl } = require('../fetch/brands');
const { headerPairs } = require('../fetch/headers');
const { DEFAULT_TIMEOUTS, parseResume, parseTimeouts } = require('../fetch/options');
const { policyOf } = require('../policy');
const { isPolicy, retryOptionsOf } = require('../policy/retry-policy');
const {
  checkBoolean, checkFunction, checkMilliseconds, checkNumber, checkOptions, checkSignal, invalidType, invalidValue,
} = require('../validate');
const { parseDigest } = require('./digests');

/** Of what a call takes. */
const CALL = ['headers', 'signal', 'retry', 'timeout', 'resume', 'fetch'];
/** Bytes. As much as native code reads ahead of a body unless it is told otherwise. */
const HIGH_WATER_MARK = 256 * 1024;
/** More than this is no piece any more. */
const HIGHEST = 1024 * 1024 * 1024;

/**
 * @typedef {object} CallOptions
 * @property {[string, string][]} headers
 * @property {AbortSignal | undefined} signal
 * @property {unknown} retry
 * @property {unknown} timeout
 * @property {unknown} resume
 * @property {Function | undefined} fetch
 */

function parseDownload(url, options = {}) {
  const given = checkOptions(options, 'options', [...CALL, 'highWaterMark', 'decompress']);
  return {
    url: urlOf(url),
    call: parseCall(given),
    highWaterMark: parseHighWaterMark(given.highWaterMark),
    decompress: given.decompress === undefined ? true : checkBoolean(given.decompress, 'options.decompress'),
  };
}

function parseDownloadTo(url, path, options = {}) {
  const own = ['decompress', 'digest', 'id', 'changed', 'onProgress', 'onResume', 'highWaterMark'];
  const given = checkOptions(options, 'options', [...CALL, ...own]);
  const call = parseCall(given);
  for (const [name] of call.headers) {
    if (name === 'range' || name === 'if-range') throw invalidValue(`options.headers.${name}`, 'left out: downloadTo asks for what is missing', 'a range');
  }
  return {
    url: urlOf(url),
    path: pathOf(path),
    call,
    highWaterMark: parseHighWaterMark(given.highWaterMark),
    decompress: given.decompress === undefined ? true : checkBoolean(given.decompress, 'options.decompress'),
    digest: given.digest === undefined ? undefined : parseDigest(given.digest, 'options.digest'),
    id: given.id === undefined ? undefined : checkString(given.id, 'options.id'),
    restartsWhenChanged: parseChanged(given.changed),
    onProgress: hook(given.onProgress, 'options.onProgress'),
    onResume: hook(given.onResume, 'options.onResume'),
  };
}

function parseResumable(open, options = {}) {
  checkFunction(open, 'open');
  const given = checkOptions(options, 'options', ['retry', 'signal', 'highWaterMark', 'timeout', 'length', 'validator']);
  const { open: opening = 300_000, idle = 300_000 } = checkOptions(given.timeout ?? {}, 'options.timeout', ['open', 'idle']);
  return {
    open,
    policy: policyOf(given.retry, 'options.retry'),
    signal: signalOf(given.signal),
    highWaterMark: parseHighWaterMark(given.highWaterMark, 64 * 1024),
    timeouts: { open: limit(opening, 'options.timeout.open'), idle: limit(idle, 'options.timeout.idle') },
    length: given.length === undefined ? undefined : checkNumber(given.length, 'options.length', { integer: true, unit: 'bytes' }),
    validator: given.validator,
  };
}

/** @returns {CallOptions} */
function parseCall({ headers, signal, retry, timeout, resume, fetch }) {
  if (fetch !== undefined && clientOf(fetch) === undefined) {
    throw invalidType('options.fetch', 'a fetch that createFetch made without a fetch of its own', fetch);
  }
  // Checked here, where the caller can see who called; what the call makes of it is its own business.
  if (!isPolicy(retry)) retryOptionsOf(retry, 'options.retry');
  else if (fetch !== undefined) throw invalidValue('options.retry', 'options only, where a fetch is given: it has a policy', retry);
  parseTimeouts(timeout, 'options.timeout', DEFAULT_TIMEOUTS);
  parseResume(resume, 'options.resume');
  const pairs = headerPairs(headers, 'options.headers');
  // Offsets and lengths are then those of the file.
  if (!pairs.some(([name]) => name === 'accept-encoding')) pairs.push(['accept-encoding', 'identity']);
  return { headers: pairs, signal: signalOf(signal), retry, timeout, resume, fetch };
}

function urlOf(url) {
  const text = isUrl(url) ? url.href : url;
  if (typeof text !== 'string') throw invalidType('url', 'a string or a URL', url);
  if (/^\s*(?:data|blob):/i.test(text)) throw invalidValue('url', 'an http: or https: URL', text);
  return text;
}

function pathOf(path) {
  if (isUrl(path)) return require('node:url').fileURLToPath(path);
  if (checkString(path, 'path').includes('\0') || path === '') throw invalidValue('path', 'the path of a file', path);
  return require('node:path').resolve(path);
}

function parseHighWaterMark(value, usual = HIGH_WATER_MARK) {
  if (value === undefined) return usual;
  return checkNumber(value, 'options.highWaterMark', { min: 1, max: HIGHEST, integer: true, unit: 'bytes' });
}

function parseChanged(value = 'fail') {
  if (value !== 'fail' && value !== 'restart') throw invalidValue('options.changed', "'fail' or 'restart'", value);
  return value === 'restart';
}

function signalOf(signal) {
  return signal === undefined || signal === null ? undefined : checkSignal(signal, 'options.signal');
}

function hook(value, name) {
  return value === undefined ? undefined : checkFunction(value, name);
}

function checkString(value, name) {
  if (typeof value !== 'string') throw invalidType(name, 'a string', value);
  return value;
}

/** `false` and `Infinity` are no limit. */
function limit(value, name) {
  return value === false || value === Infinity ? Infinity : checkMilliseconds(value, name, { min: 1 });
}

module.exports = { parseDownload, parseDownloadTo, parseResumable };

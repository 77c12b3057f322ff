'use strict';

/**
 * The options of a `Socket`: those of `net.Socket` and our own. All of them are checked here, when the socket is made or
 * told to connect, and handed to native code complete: what `src/node/socket.rs` reads has no defaults of its own.
 */

const { parseTls } = require('../fetch/tls-options');
const { parseRetryOptions } = require('../policy/options');
const {
  checkArray,
  checkBoolean,
  checkFunction,
  checkMilliseconds,
  checkNumber,
  checkOptions,
  checkSignal,
  invalidArgument,
  invalidType,
  invalidValue,
} = require('../validate');
const { ADDRESS_KEYS } = require('./address');

/** As `net.Socket` has them. */
const NET_KEYS = ['noDelay', 'keepAlive', 'keepAliveInitialDelay', 'timeout'];
/** Those of the stream itself. */
const STREAM_KEYS = Object.freeze([
  'allowHalfOpen', 'signal', 'highWaterMark', 'readableHighWaterMark', 'writableHighWaterMark',
]);
const OWN_KEYS = [
  'tls', 'reconnect', 'reconnectOnEnd', 'connectTimeout', 'minUptime', 'onConnect', 'queue', 'heartbeat', 'frame', 'resend',
];
const KEYS = Object.freeze([...STREAM_KEYS, ...NET_KEYS, ...OWN_KEYS, ...ADDRESS_KEYS]);

/** What `net` has and a socket that outlives its connections cannot have. */
const UNSUPPORTED = {
  fd: 'a socket makes its own connections',
  handle: 'a socket makes its own connections',
  onread: 'data comes as in any other stream',
  blockList: 'it is not supported yet',
  hints: 'it is not supported yet; use lookup',
  autoSelectFamilyAttemptTimeout: 'how long one address is waited for before the next is tried is fixed',
  typeOfService: 'it is not supported yet',
};

/** Without end; both are the most that `parseRetryOptions` knows. */
const RECONNECT = parseRetryOptions({ retries: Infinity, within: Infinity }, 'reconnect');
/** What only calls have. */
const NOT_OF_SOCKETS = ['methods', 'statuses', 'respectRetryAfter', 'budget', 'breaker', 'shouldRetry'];

const CONNECT_TIMEOUT = 10_000;
const MIN_UPTIME = 5_000;
const KEEP_ALIVE = 15_000;
const QUEUE = { bytes: 1024 * 1024, age: 60_000, whenFull: 'block' };

const DELIMITER_AT_MOST = 1024;

/**
 * @param {unknown} value
 * @param {string} [name]
 */
function checkKeys(value, name = 'options') {
  for (const [key, why] of Object.entries(UNSUPPORTED)) {
    if (value?.[key] !== undefined) throw invalidArgument(`${name}.${key} must be left out: ${why}.`);
  }
  const given = checkOptions(value, name, KEYS);
  // In `net`, too, null is none for these.
  for (const key of ['host', 'path']) {
    if (given[key] === null) delete given[key];
  }
  return given;
}

/**
 * @param {Record<string, unknown>} given as {@link checkKeys} returns it
 * @param {string} [name]
 */
function parseOptions(given, name = 'options') {
  const { onConnect, onRetry, json, resend } = parseOwn(given, name);
  const native = {
    noDelay: checkBoolean(given.noDelay ?? true, `${name}.noDelay`),
    keepAlive: keepAliveOf(given, name),
    connectTimeout: finite(given.connectTimeout, CONNECT_TIMEOUT, `${name}.connectTimeout`, { min: 1 }),
    greets: onConnect !== undefined,
    minUptime: checkMilliseconds(given.minUptime ?? MIN_UPTIME, `${name}.minUptime`),
    reconnectOnEnd: checkBoolean(given.reconnectOnEnd ?? true, `${name}.reconnectOnEnd`),
    queue: queueOf(given.queue, `${name}.queue`, resend),
    frame: frameOf(given.frame, `${name}.frame`),
    resends: resend,
    heartbeat: heartbeatOf(given.heartbeat, `${name}.heartbeat`),
  };
  if (resend && native.frame === undefined) {
    throw invalidArgument(`${name}.frame must be given with ${name}.resend: 'unacknowledged': only whole messages can be sent again.`);
  }
  return { native, reconnect: json, onConnect, onRetry, tls: tlsOf(given.tls, `${name}.tls`), lookup: lookupOf(given, name) };
}

function parseOwn({ onConnect, reconnect, resend = 'none' }, name) {
  if (onConnect !== undefined) checkFunction(onConnect, `${name}.onConnect`);
  if (resend !== 'none' && resend !== 'unacknowledged') {
    throw invalidValue(`${name}.resend`, "'none' or 'unacknowledged'", resend);
  }
  for (const key of NOT_OF_SOCKETS) {
    if (reconnect?.[key] !== undefined) {
      throw invalidArgument(`${name}.reconnect.${key} must be left out: it has no meaning for a socket.`);
    }
  }
  const { json, onRetry } = parseRetryOptions(reconnect, `${name}.reconnect`, RECONNECT);
  return { onConnect, onRetry, json, resend: resend === 'unacknowledged' };
}

/** `undefined` is no limit, as `Infinity` is to the caller. */
function finite(value, usual, name, limits) {
  const time = checkMilliseconds(value ?? usual, name, { infinity: true, ...limits });
  return time === Infinity ? undefined : time;
}

function keepAliveOf({ keepAlive = true, keepAliveInitialDelay }, name) {
  if (keepAliveInitialDelay !== undefined) checkMilliseconds(keepAliveInitialDelay, `${name}.keepAliveInitialDelay`);
  if (!checkBoolean(keepAlive, `${name}.keepAlive`)) return undefined;
  return keepAliveInitialDelay || KEEP_ALIVE;
}

function queueOf(value, name, resends) {
  const given = value === undefined ? {} : checkOptions(value, name, Object.keys(QUEUE));
  const { bytes, whenFull } = { ...QUEUE, ...given };
  if (whenFull !== 'block' && whenFull !== 'error') throw invalidValue(`${name}.whenFull`, "'block' or 'error'", whenFull);
  if (resends && given.age !== undefined && given.age !== Infinity) {
    throw invalidArgument(`${name}.age must be left out with resend: 'unacknowledged': a message that is given up would be missing.`);
  }
  return {
    bytes: checkNumber(bytes, `${name}.bytes`, { min: 1, integer: true }),
    age: finite(given.age, resends ? Infinity : QUEUE.age, `${name}.age`, { min: 1 }),
    refuses: whenFull === 'error',
  };
}

function frameOf(value, name) {
  if (value === undefined) return undefined;
  const { delimiter, lengthBytes, littleEndian, includesLength } = checkOptions(
    value, name, ['delimiter', 'lengthBytes', 'littleEndian', 'includesLength'],
  );
  if (delimiter !== undefined) {
    if ((lengthBytes ?? littleEndian ?? includesLength) !== undefined) {
      throw invalidArgument(`${name}.delimiter must be left out where messages begin with their length.`);
    }
    const bytes = bytesOf(delimiter, `${name}.delimiter`);
    if (bytes.length === 0 || bytes.length > DELIMITER_AT_MOST) {
      throw invalidValue(`${name}.delimiter`, `1 to ${DELIMITER_AT_MOST} bytes`, delimiter);
    }
    return { delimiter: bytes };
  }
  if (lengthBytes === undefined) throw invalidArgument(`${name}.delimiter must be given, or ${name}.lengthBytes.`);
  return {
    lengthBytes: checkNumber(lengthBytes, `${name}.lengthBytes`, { min: 1, max: 8, integer: true }),
    littleEndian: checkBoolean(littleEndian ?? false, `${name}.littleEndian`),
    includesLength: checkBoolean(includesLength ?? false, `${name}.includesLength`),
  };
}

function heartbeatOf(value, name) {
  if (value === undefined) return undefined;
  const { interval, timeout = interval, send, expect } = checkOptions(value, name, ['interval', 'timeout', 'send', 'expect']);
  if (send === undefined) throw invalidArgument(`${name}.send must be given.`);
  return {
    interval: checkMilliseconds(interval, `${name}.interval`, { min: 1 }),
    timeout: checkMilliseconds(timeout, `${name}.timeout`, { min: 1 }),
    send: bytesOf(send, `${name}.send`),
    expect: expect === undefined ? '' : bytesOf(expect, `${name}.expect`),
  };
}

/** As native code reads it: one character for each byte. */
function bytesOf(value, name) {
  if (typeof value === 'string') return Buffer.from(value).toString('latin1');
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1');
  throw invalidType(name, 'a string, a Buffer or a Uint8Array', value);
}

/** `undefined`: without. */
function tlsOf(value, name) {
  if (value === undefined || value === false) return undefined;
  const { servername, ALPNProtocols, ...rest } = value === true ? {} : checkTls(value, name);
  if (servername !== undefined && (typeof servername !== 'string' || servername === '')) {
    throw invalidValue(`${name}.servername`, 'a host name', servername);
  }
  const { rejectUnauthorized, native } = parseTls(rest, name);
  const alpn = ALPNProtocols === undefined ? [] : checkArray(ALPNProtocols, `${name}.ALPNProtocols`, 'strings', checkProtocol);
  return { servername, rejectUnauthorized, options: native ?? {}, alpn };
}

function checkTls(value, name) {
  if (typeof value !== 'object' || value === null) throw invalidType(name, 'true, false or an object', value);
  if (value.checkServerIdentity !== undefined) {
    throw invalidArgument(`${name}.checkServerIdentity must be left out: it is not supported; servername says whom to expect.`);
  }
  return value;
}

function checkProtocol(value, name) {
  const bytes = bytesOf(value, name);
  if (bytes.length === 0 || bytes.length > 255) throw invalidValue(name, '1 to 255 bytes', value);
  return bytes;
}

function lookupOf({ lookup, path }, name) {
  if (lookup === undefined) return undefined;
  if (path !== undefined) throw invalidArgument(`${name}.lookup must be left out with ${name}.path: there is no name to resolve.`);
  return checkFunction(lookup, `${name}.lookup`);
}

/** What concerns the stream and not its connections. */
function parseStream({ allowHalfOpen = false, signal, timeout, ...marks }, name = 'options') {
  checkBoolean(allowHalfOpen, `${name}.allowHalfOpen`);
  if (signal !== undefined) checkSignal(signal, `${name}.signal`);
  if (timeout !== undefined) checkMilliseconds(timeout, `${name}.timeout`);
  const stream = { allowHalfOpen };
  for (const key of ['highWaterMark', 'readableHighWaterMark', 'writableHighWaterMark']) {
    if (marks[key] !== undefined) stream[key] = checkNumber(marks[key], `${name}.${key}`, { integer: true });
  }
  return { stream, signal, timeout };
}

module.exports = { KEEP_ALIVE, STREAM_KEYS, checkKeys, parseOptions, parseStream };

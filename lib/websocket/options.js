'use strict';

/**
 * The options of a `WebSocket`: those of `ws` and our own. All of them are checked when it is made, and handed to native code
 * complete: what `src/node/websocket.rs` reads has no defaults of its own.
 */

const { parseTls } = require('../fetch/tls-options');
const { parseProxy } = require('../fetch/proxy-options');
const { acceptsAnyone } = require('../engine/node-trust');
const { parseAddress } = require('../net/address');
const {
  checkBoolean,
  checkFunction,
  checkMilliseconds,
  checkNumber,
  checkOptions,
  invalidArgument,
  invalidType,
  invalidValue,
} = require('../validate');
const { parseDeflate } = require('./deflate-options');
const { RECONNECT_KEYS, parseReconnect } = require('./reconnect-options');

/** Those of TLS that `ws` takes among the others, and `tls` as an object of their own. */
const TLS_KEYS = ['ca', 'cert', 'key', 'passphrase', 'minVersion', 'rejectUnauthorized', 'servername'];
/** What a request is made of: see `request.js`. */
const REQUEST_KEYS = ['protocols', 'headers', 'origin', 'auth'];
const WS_KEYS = ['handshakeTimeout', 'maxPayload', 'perMessageDeflate', 'followRedirects', 'maxRedirects', 'closeTimeout'];
const ROUTE_KEYS = ['family', 'autoSelectFamily', 'localAddress', 'localPort', 'lookup', 'noDelay', 'keepAlive', 'keepAliveInitialDelay'];
const OWN_KEYS = ['tls', 'proxy', 'onConnect', 'queue', 'resend', 'heartbeat', 'maxFrame', 'adapt', ...RECONNECT_KEYS];
const KEYS = Object.freeze([...REQUEST_KEYS, ...WS_KEYS, ...OWN_KEYS, ...TLS_KEYS, ...ROUTE_KEYS]);

/** What `ws` or the built-in WebSocket has, and why it is not here. */
const UNSUPPORTED = {
  agent: 'connections are made natively; use proxy for a proxy',
  dispatcher: 'connections are made natively; use proxy for a proxy',
  createConnection: 'connections are made natively; use lookup, localAddress or proxy',
  finishRequest: 'the request is made natively; use headers, which may be a function',
  generateMask: 'the mask must come from a strong random source',
  protocolVersion: 'there is only 13',
  skipUTF8Validation: 'text is always checked',
  maxFragments: 'fragments take no memory of their own; use maxPayload',
  maxBufferedChunks: 'chunks are not buffered; use maxPayload',
  autoPong: 'a ping is always answered',
  maxPendingAutoPongs: 'a pong that cannot leave is replaced by the next one',
  allowSynchronousEvents: 'messages that arrived together are told one after the other',
};

const HANDSHAKE_TIMEOUT = 10_000;
const CLOSE_TIMEOUT = 30_000;
const MAX_PAYLOAD = 100 * 1024 * 1024;
const MAX_REDIRECTS = 10;
const KEEP_ALIVE = 15_000;
const QUEUE = { bytes: 64 * 1024 * 1024, age: 60_000 };
const HEARTBEAT = { interval: 25_000, timeout: 30_000 };

/** Bytes. A frame below the one is mostly head; one above the other hinders pings for a second on a slow line. */
const FRAME = { usual: 64 * 1024, min: 1024, max: 16 * 1024 * 1024 };

/** Programs say so although it is what happens anyway. */
const HARMLESS = { agent: false, protocolVersion: 13, skipUTF8Validation: false, autoPong: true, allowSynchronousEvents: true };

/** @param {unknown} value */
function checkKeys(value) {
  if (typeof value !== 'object' || value === null) throw invalidType('options', 'an object', value);
  const rest = { ...value };
  for (const [key, why] of Object.entries(UNSUPPORTED)) {
    if (rest[key] !== undefined && rest[key] !== HARMLESS[key]) throw invalidArgument(`options.${key} must be left out: ${why}.`);
    delete rest[key];
  }
  return checkOptions(rest, 'options', KEYS);
}

/**
 * @param {Record<string, unknown>} given as {@link checkKeys} returns it
 */
function parseOptions(given) {
  const { policy, minUptime, codes, onRetry, reconnect } = parseReconnect(given);
  const { shouldReconnect, onConnect, resend = 'unsent' } = given;
  if (shouldReconnect !== undefined) checkFunction(shouldReconnect, 'options.shouldReconnect');
  if (onConnect !== undefined) checkFunction(onConnect, 'options.onConnect');
  if (resend !== 'unsent' && resend !== 'unknown-too') throw invalidValue('options.resend', "'unsent' or 'unknown-too'", resend);
  const native = {
    handshakeTimeout: limit(given.handshakeTimeout, HANDSHAKE_TIMEOUT, 'options.handshakeTimeout'),
    greets: onConnect !== undefined,
    codes,
    asks: shouldReconnect !== undefined,
    minUptime,
    queue: queueOf(given.queue, 'options.queue'),
    resend,
    heartbeat: heartbeatOf(given.heartbeat, 'options.heartbeat'),
    maxFrame: checkNumber(given.maxFrame ?? FRAME.usual, 'options.maxFrame', { min: FRAME.min, max: FRAME.max, integer: true }),
    adapt: checkBoolean(given.adapt ?? true, 'options.adapt'),
    maxPayload: checkNumber(given.maxPayload ?? MAX_PAYLOAD, 'options.maxPayload', { integer: true }),
    deflate: parseDeflate(given.perMessageDeflate ?? true, 'options.perMessageDeflate'),
    redirects: redirectsOf(given),
    closeTimeout: checkMilliseconds(given.closeTimeout ?? CLOSE_TIMEOUT, 'options.closeTimeout', { min: 1 }),
    proxies: parseProxy(given.proxy, 'options.proxy') ?? null,
    tls: tlsOf(given),
    ...routeOf(given),
  };
  return { native, reconnect, policy, onRetry, shouldReconnect, onConnect, lookup: lookupOf(given) };
}

/** `null` is no limit; so are 0, as with `ws`, and `Infinity`. */
function limit(value, usual, name) {
  const time = checkMilliseconds(value ?? usual, name, { infinity: true });
  return time === Infinity || time === 0 ? null : time;
}

function queueOf(value, name) {
  const given = value === undefined ? {} : checkOptions(value, name, Object.keys(QUEUE));
  return {
    bytes: checkNumber(given.bytes ?? QUEUE.bytes, `${name}.bytes`, { integer: true }),
    age: limit(given.age, QUEUE.age, `${name}.age`),
    refuses: true,
  };
}

function heartbeatOf(value, name) {
  if (value === false) return null;
  const given = value === undefined || value === true
    ? {}
    : checkOptions(value, name, Object.keys(HEARTBEAT), 'true, false or an object');
  return {
    interval: checkMilliseconds(given.interval ?? HEARTBEAT.interval, `${name}.interval`, { min: 1 }),
    timeout: checkMilliseconds(given.timeout ?? HEARTBEAT.timeout, `${name}.timeout`, { min: 1 }),
  };
}

function redirectsOf({ followRedirects = false, maxRedirects = MAX_REDIRECTS }) {
  checkNumber(maxRedirects, 'options.maxRedirects', { max: 1000, integer: true });
  return checkBoolean(followRedirects, 'options.followRedirects') ? maxRedirects : 0;
}

function tlsOf(given) {
  const own = {};
  for (const key of TLS_KEYS) if (given[key] !== undefined) own[key] = given[key];
  const { servername, ...rest } = { ...own, ...checkTls(given.tls) };
  if (servername !== undefined && typeof servername !== 'string') throw invalidType('options.servername', 'a host name', servername);
  const { rejectUnauthorized = !acceptsAnyone(), native } = parseTls(rest, 'options');
  return { options: native ?? {}, name: servername || null, rejectUnauthorized };
}

function checkTls(value) {
  return value === undefined ? {} : checkOptions(value, 'options.tls', TLS_KEYS);
}

function routeOf(given) {
  const { family, firstOnly, localAddress, localPort } = parseAddress({ ...given, port: 0 }, 'options');
  const { keepAlive = true, keepAliveInitialDelay = KEEP_ALIVE } = given;
  checkMilliseconds(keepAliveInitialDelay, 'options.keepAliveInitialDelay');
  return {
    family,
    firstOnly,
    localAddress,
    localPort,
    noDelay: checkBoolean(given.noDelay ?? true, 'options.noDelay'),
    keepAlive: checkBoolean(keepAlive, 'options.keepAlive') ? keepAliveInitialDelay || KEEP_ALIVE : null,
  };
}

function lookupOf({ lookup }) {
  return lookup === undefined ? undefined : checkFunction(lookup, 'options.lookup');
}

module.exports = { checkKeys, parseOptions };

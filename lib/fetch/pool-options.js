'use strict';

/**
 * The options of `createFetch` that say how it makes and keeps its connections. Their defaults are native code's
 * (`src/http/transport/options.rs`): what the caller does not give is left out.
 */

const {
  LONGEST_TIMER,
  checkBoolean,
  checkFunction,
  checkMilliseconds,
  checkNumber,
  checkOptions,
  invalidArgument,
  invalidType,
  invalidValue,
  outOfRange,
} = require('../validate');

const POOL_OPTIONS = Object.freeze(['connections', 'keepAlive', 'http2', 'socketPath']);

/** What a connection can be counted with. */
const MOST_CONNECTIONS = 2 ** 32 - 1;

/** Bytes that the address of a Unix socket has room for (`sun_path`), less the one that ends it. */
const LONGEST_SOCKET_PATH = process.platform === 'linux' || process.platform === 'android' ? 107 : 103;

/**
 * @param {import('../..').CreateFetchOptions} given
 * @returns {object} what `src/node/pool.rs` reads
 */
function parsePoolOptions({ connections, keepAlive, http2, socketPath }) {
  return {
    connections: connections === undefined ? undefined : checkConnections(connections, 'connections'),
    keepAlive: keepAlive === undefined ? undefined : checkKeepAlive(keepAlive, 'keepAlive'),
    http2: http2 === undefined ? undefined : checkBoolean(http2, 'http2'),
    socketPath: socketPath === undefined ? undefined : checkSocketPath(socketPath, 'socketPath'),
  };
}

function checkConnections(value, name) {
  if (value === false || value === Infinity) return undefined;
  if (typeof value !== 'number') throw invalidType(name, 'a number of connections, or false for no limit', value);
  return checkNumber(value, name, { min: 1, max: MOST_CONNECTIONS, integer: true });
}

function checkKeepAlive(value, name) {
  if (typeof value === 'boolean') return value;
  const accepted = 'true, false or an object';
  const times = checkOptions(value, name, ['timeout', 'maxTimeout', 'guardedTimeout'], accepted);
  for (const key of Object.keys(times)) {
    const given = checkMilliseconds(times[key], `${name}.${key}`, { min: key === 'guardedTimeout' ? 0 : 1, infinity: true });
    // The 24.8 days of a timer are as good as no limit, and JSON knows no Infinity.
    times[key] = Math.min(given, LONGEST_TIMER);
  }
  // It would be ignored in silence: the connection is closed by then.
  if (times.guardedTimeout > times.timeout) {
    throw outOfRange(`${name}.guardedTimeout`, `at most ${name}.timeout (${times.timeout})`, times.guardedTimeout);
  }
  return times;
}

function checkSocketPath(value, name) {
  if (typeof value !== 'string') throw invalidType(name, 'the path of a Unix socket', value);
  if (process.platform === 'win32') {
    throw invalidArgument(`${name} must be left out on Windows: named pipes are not supported, and Unix sockets are not there.`);
  }
  if (value === '' || value.includes('\0')) throw invalidValue(name, 'the path of a Unix socket', value);
  // What connects would say so too, but only with each call, and only that the argument is invalid.
  if (Buffer.byteLength(value) > LONGEST_SOCKET_PATH) {
    throw invalidValue(name, `a path of at most ${LONGEST_SOCKET_PATH} bytes, as many as the address of a socket has room for`, value);
  }
  return value;
}

/**
 * @param {import('../..').CreateFetchOptions} given
 * @returns {import('../..').LookupFunction | undefined}
 */
function parseLookup({ lookup, socketPath }) {
  if (lookup === undefined) return undefined;
  if (socketPath !== undefined) throw invalidArgument('lookup must be left out with socketPath: there is no name to resolve.');
  return checkFunction(lookup, 'lookup');
}

module.exports = { POOL_OPTIONS, parsePoolOptions, parseLookup };

'use strict';

/** Where a connection goes, in all the forms that `net.connect` takes. */

const { isIP } = require('node:net');
const { checkBoolean, checkNumber, invalidArgument, invalidType, invalidValue } = require('../validate');

/** The options of `socket.connect` that say where from and where to. */
const ADDRESS_KEYS = Object.freeze([
  'port', 'host', 'path', 'family', 'autoSelectFamily', 'localAddress', 'localPort', 'lookup',
]);

/** Of a Unix socket, in bytes: `sun_path` without its end. A longer one would be cut off, and might name another socket. */
const LONGEST_PATH = process.platform === 'linux' ? 107 : 103;

/**
 * The arguments of `connect` as an object of options and a callback.
 *
 * @param {unknown[]} args
 * @returns {[object, Function | undefined]}
 */
function normalized(args) {
  const [first, second] = args;
  const last = args.at(-1);
  // What is no function is none, as in `net`.
  const callback = args.length > 1 && typeof last === 'function' ? last : undefined;
  if (typeof first === 'object' && first !== null) return [first, callback];
  if (isPath(first)) return [{ path: first }, callback];
  return [{ port: first, host: typeof second === 'string' ? second : undefined }, callback];
}

/** A string that is no number. */
function isPath(value) {
  return typeof value === 'string' && !(Number(value) >= 0);
}

/**
 * @param {Record<string, unknown>} given checked for unknown keys
 * @param {string} name
 * @returns {object} what `src/node/socket.rs` reads; without `host` for a path
 */
function parseAddress(given, name) {
  const { path, port, host = 'localhost', family = 0, autoSelectFamily = true, localAddress, localPort = 0 } = given;
  const native = {
    family: familyOf(family, `${name}.family`),
    firstOnly: !checkBoolean(autoSelectFamily, `${name}.autoSelectFamily`),
    localAddress: localAddress === undefined ? undefined : checkIp(localAddress, `${name}.localAddress`),
    localPort: checkNumber(localPort, `${name}.localPort`, { max: 65_535, integer: true }),
  };
  if (path !== undefined) {
    if (port !== undefined) throw invalidArgument(`${name}.port must be left out with ${name}.path.`);
    return { ...native, path: checkPath(path, `${name}.path`) };
  }
  if (port === undefined) throw invalidArgument(`${name}.port must be given, or ${name}.path.`);
  if (typeof host !== 'string') throw invalidType(`${name}.host`, 'a host name or an IP address', host);
  if (host === '' || host.includes('\0')) throw invalidValue(`${name}.host`, 'a host name or an IP address', host);
  // As a URL has it, an IPv6 address may stand in brackets.
  return { ...native, host: host.replace(/^\[(.*)\]$/, '$1'), port: portOf(port, `${name}.port`) };
}

/** Node takes ports as strings too. */
function portOf(value, name) {
  const port = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return checkNumber(Number.isNaN(port) ? value : port, name, { max: 65_535, integer: true });
}

function familyOf(value, name) {
  const known = { 0: 0, 4: 4, 6: 6, IPv4: 4, IPv6: 6 }[value];
  if (known === undefined) throw invalidValue(name, '0, 4, 6, \'IPv4\' or \'IPv6\'', value);
  return known;
}

function checkIp(value, name) {
  if (typeof value !== 'string') throw invalidType(name, 'an IP address', value);
  if (isIP(value) === 0 || value.includes('%')) throw invalidValue(name, 'an IP address, without a zone', value);
  return value;
}

function checkPath(value, name) {
  if (typeof value !== 'string') throw invalidType(name, 'the path of a Unix socket', value);
  if (process.platform === 'win32') {
    throw invalidArgument(`${name} must be left out on Windows: named pipes are not supported, and Unix sockets are not there.`);
  }
  if (value === '' || value.includes('\0')) throw invalidValue(name, 'the path of a Unix socket', value);
  if (Buffer.byteLength(value) > LONGEST_PATH) throw invalidValue(name, `the path of a Unix socket, of at most ${LONGEST_PATH} bytes`, value);
  return value;
}

module.exports = { ADDRESS_KEYS, normalized, parseAddress };

'use strict';

/** The options of `FaultProxy.listen`: checked here, before a socket is opened. */

const { checkNumber, checkOptions, invalidType, invalidValue, outOfRange } = require('../validate');

const LISTEN_OPTIONS = ['upstream', 'host', 'port', 'seed'];
const UPSTREAM_OPTIONS = ['host', 'port'];

const UPSTREAM_FORMS = "a string 'host:port', a port, or an object with host and port";

/** `host:port`; an IPv6 address stands in brackets, or its colons would leave the port open to doubt. */
const ADDRESS = /^(?:\[([^[\]]+)\]|([^:[\]/\s]+)):(\d+)$/;

/** Seeds that are drawn fit 32 bits: somebody has to copy one from the output of a failed test. */
const SEEDS = 2 ** 32;

/**
 * @param {import('../..').FaultProxyOptions} value
 * @returns {{ upstream: { host: string, port: number }, host: string, port: number, seed: number }}
 * @throws {TypeError | RangeError} which name the option and what is accepted
 */
function parseListenOptions(value) {
  const { upstream, host = '127.0.0.1', port = 0, seed } = checkOptions(value, 'options', LISTEN_OPTIONS);
  return {
    upstream: parseUpstream(upstream),
    host: checkHost(host, 'host'),
    port: checkPort(port, 'port', 0),
    seed: seed === undefined ? Math.floor(Math.random() * SEEDS) : checkNumber(seed, 'seed', { integer: true }),
  };
}

function parseUpstream(value) {
  if (typeof value === 'number') return { host: 'localhost', port: checkPort(value, 'upstream') };
  if (typeof value === 'string') return parseAddress(value);
  const { host = 'localhost', port } = checkOptions(value, 'upstream', UPSTREAM_OPTIONS, UPSTREAM_FORMS);
  return { host: checkHost(host, 'upstream.host'), port: checkPort(port, 'upstream.port') };
}

function parseAddress(text) {
  const [, bracketed, plain, digits] = ADDRESS.exec(text) ?? [];
  if (digits === undefined) {
    throw invalidValue('upstream', "of the form 'host:port', an IPv6 address in brackets", text);
  }
  const port = Number(digits);
  if (port < 1 || port > 65_535) throw outOfRange('upstream', "of the form 'host:port', with a port from 1 to 65535", text);
  return { host: bracketed ?? plain, port };
}

function checkHost(value, name) {
  if (typeof value !== 'string') throw invalidType(name, 'a host name or an IP address', value);
  if (value === '') throw invalidValue(name, 'a host name or an IP address', value);
  return value;
}

function checkPort(value, name, min = 1) {
  return checkNumber(value, name, { min, max: 65_535, integer: true });
}

module.exports = { parseListenOptions };

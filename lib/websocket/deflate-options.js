'use strict';

/** `perMessageDeflate`, in the shape that `ws` has it (RFC 7692). */

const { checkBoolean, checkNumber, checkOptions, invalidType } = require('../validate');

const KEYS = [
  'threshold', 'serverNoContextTakeover', 'clientNoContextTakeover', 'serverMaxWindowBits', 'clientMaxWindowBits',
  'zlibDeflateOptions', 'zlibInflateOptions', 'concurrencyLimit',
];

/** Bytes below which a message is sent as it is: as `ws`, since compressing it costs more than it saves. */
const THRESHOLD = 1024;
/** As zlib. */
const LEVEL = 6;

/**
 * @param {unknown} value
 * @param {string} name
 * @returns {object | null} `null`: not offered
 */
function parseDeflate(value, name) {
  if (value === false) return null;
  const given = value === true ? {} : checkOptions(value, name, KEYS, 'true, false or an object');
  return {
    threshold: checkNumber(given.threshold ?? THRESHOLD, `${name}.threshold`, { integer: true }),
    level: levelOf(given.zlibDeflateOptions, `${name}.zlibDeflateOptions`),
    serverNoContextTakeover: checkBoolean(given.serverNoContextTakeover ?? false, `${name}.serverNoContextTakeover`),
    clientNoContextTakeover: checkBoolean(given.clientNoContextTakeover ?? false, `${name}.clientNoContextTakeover`),
    serverMaxWindowBits: windowOf(given.serverMaxWindowBits, `${name}.serverMaxWindowBits`),
    clientMaxWindowBits: windowOf(given.clientMaxWindowBits, `${name}.clientMaxWindowBits`),
  };
}

/** Of what tunes Node's zlib, which is not used here, only the level has a meaning; the rest is about its memory. */
function levelOf(value = {}, name) {
  if (typeof value !== 'object' || value === null) throw invalidType(name, 'an object', value);
  return checkNumber(value.level ?? LEVEL, `${name}.level`, { min: 1, max: 9, integer: true });
}

/** `ws` says `true` for what it offers anyway: that the server may choose. */
function windowOf(value, name) {
  if (value === undefined || value === true) return null;
  return checkNumber(value, name, { min: 8, max: 15, integer: true });
}

module.exports = { parseDeflate };

'use strict';

/**
 * A fault as a caller wrote it, on its way to native code, which alone knows what a fault is. It travels as JSON, so
 * what JSON would drop or change in silence is refused here.
 */

const { invalidType, outOfRange } = require('../validate');

/**
 * @param {import('../..').ProxyFault} fault
 * @returns {Readonly<import('../..').ProxyFault>} a copy that nobody can change
 * @throws {TypeError | RangeError} which name the option
 */
function frozenFault(fault) {
  if (typeof fault !== 'object' || fault === null || Array.isArray(fault)) {
    throw invalidType('fault', 'an object', fault);
  }
  return frozenCopy(fault, 'fault');
}

function frozenCopy(value, name) {
  if (Array.isArray(value)) {
    // Not `map`: it skips holes.
    return Object.freeze(Array.from(value, (element, index) => frozenCopy(element, `${name}[${index}]`)));
  }
  if (typeof value === 'object' && value !== null) {
    const given = Object.entries(value).filter(([, option]) => option !== undefined);
    return Object.freeze(Object.fromEntries(given.map(([key, option]) => [key, frozenCopy(option, `${name}.${key}`)])));
  }
  if (typeof value === 'number') return finite(value, name);
  if (!['string', 'boolean'].includes(typeof value) && value !== null) {
    throw invalidType(name, 'a string, a number or an object', value);
  }
  return value;
}

/** JSON writes `null` for both. */
function finite(value, name) {
  if (!Number.isFinite(value)) throw outOfRange(name, 'a finite number', value);
  return value;
}

module.exports = { frozenFault };

'use strict';

/**
 * What a fetch of this package carries. Retries around retries multiply: three and three are fifteen requests to a server
 * that is down. So a fetch that retries already is not wrapped once more.
 *
 * From the registry of symbols: another copy of the package, or another Jest realm, is to see it too.
 */

const RETRIES = Symbol.for('unreset.retries');

/** @template {Function} F @param {F} fetch @returns {F} */
function brand(fetch) {
  return Object.defineProperty(fetch, RETRIES, { value: true });
}

/** @param {Function} fetch */
function isBranded(fetch) {
  return fetch[RETRIES] === true;
}

module.exports = { brand, isBranded };

'use strict';

const { bytesIfOk } = require('./careful');

/**
 * A peer made of a function that makes one call and gives its body.
 *
 * @param {object} options
 * @param {string} options.version of the client
 * @param {() => Promise<(url: string, init?: object) => Promise<Uint8Array>>} options.load gives the function; called
 *   once, before anything is measured
 * @returns {import('./peers').RecoveryPeer}
 */
function bytesCaller({ version, load }) {
  let bytesOf;
  return {
    version,
    async setup() {
      bytesOf = await load();
    },
    get: (url) => bytesOf(url),
    post: (url, json) => bytesOf(url, postInit(json)),
  };
}

/**
 * A peer made of any function with the interface of `fetch`.
 *
 * @param {object} options
 * @param {string} options.version of the client
 * @param {() => Promise<typeof fetch>} options.load gives the function; called once, before anything is measured
 * @returns {import('./peers').RecoveryPeer}
 */
function fetchCaller({ version, load }) {
  return bytesCaller({
    version,
    async load() {
      const fetch = await load();
      return async (url, init) => bytesIfOk(await fetch(url, init));
    },
  });
}

/** A POST of JSON as every tutorial writes it. */
const postInit = (json) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(json),
});

module.exports = { bytesCaller, fetchCaller };

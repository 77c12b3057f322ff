'use strict';

const { bytesIfOk } = require('./careful');

/**
 * A peer made of any function with the interface of `fetch`.
 *
 * @param {object} options
 * @param {string} options.version of the client
 * @param {() => Promise<typeof fetch>} options.load gives the function; called once, before anything is measured
 * @returns {import('./peers').RecoveryPeer}
 */
function fetchCaller({ version, load }) {
  let fetch;
  return {
    version,
    async setup() {
      fetch = await load();
    },
    async get(url) {
      return bytesIfOk(await fetch(url));
    },
    async post(url, json) {
      return bytesIfOk(await fetch(url, postInit(json)));
    },
  };
}

/** A POST of JSON as every tutorial writes it. */
const postInit = (json) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(json),
});

module.exports = { fetchCaller, postInit };

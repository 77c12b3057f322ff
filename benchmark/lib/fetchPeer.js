'use strict';

const { JSON_BODY } = require('../cases');

/**
 * A peer made of any function with the interface of `fetch`: each operation consumes the body the way a user
 * writes it.
 *
 * @param {object} options
 * @param {string} options.version of the client
 * @param {() => Promise<typeof fetch>} options.load gives the function; called once, before anything is measured
 */
function fetchPeer({ version, load }) {
  let fetch;
  const json = async (url) => {
    const response = await fetch(url);
    return response.json();
  };
  return {
    version,
    async setup() {
      fetch = await load();
    },
    json,
    inflated: json,
    async bytes(url) {
      const response = await fetch(url);
      return response.arrayBuffer();
    },
    async post(url) {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(JSON_BODY),
      });
      return response.json();
    },
    async drain(url) {
      const response = await fetch(url);
      let length = 0;
      for await (const chunk of response.body) length += chunk.length;
      return length;
    },
  };
}

module.exports = { fetchPeer };

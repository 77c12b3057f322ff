'use strict';

/**
 * A client of the user's own, bare and wrapped: `make()` gives two functions that fetch the same JSON in the same way and
 * resolve to it.
 */

const http = require('node:http');
const { text } = require('node:stream/consumers');

const { packageVersion } = require('../lib/packages');

const readJson = (fetchLike) => async (url) => (await fetchLike(url)).json();

const pairs = {
  'fetch': {
    version: process.versions.undici,
    make() {
      const { wrapFetch } = require('../..');
      return { bare: readJson(fetch), wrapped: readJson(wrapFetch(fetch)) };
    },
  },
  'node-fetch': {
    version: packageVersion('node-fetch'),
    async make() {
      const { wrapFetch } = require('../..');
      const { default: nodeFetch } = await import('node-fetch');
      return { bare: readJson(nodeFetch), wrapped: readJson(wrapFetch(nodeFetch)) };
    },
  },
  'axios': {
    version: packageVersion('axios'),
    make() {
      const { wrapAxios } = require('../..');
      const axios = require('axios');
      const wrapped = wrapAxios(axios.create());
      return {
        bare: async (url) => (await axios.get(url)).data,
        wrapped: async (url) => (await wrapped.get(url)).data,
      };
    },
  },
  'http': {
    version: process.versions.node,
    make() {
      const { wrapHttp } = require('../..');
      return { bare: getWith(http), wrapped: getWith(wrapHttp(http)) };
    },
  },
  'retry(fn) around http': {
    version: process.versions.node,
    make() {
      const { retry } = require('../..');
      const bare = getWith(http);
      return { bare, wrapped: (url) => retry(() => bare(url)) };
    },
  },
};

/** Connections are kept on every Node: by default the agent of Node 18 closed them. */
function getWith({ get, Agent }) {
  const agent = new Agent({ keepAlive: true });
  return (url) => new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      text(response).then(JSON.parse).then(resolve, reject);
    }).on('error', reject);
  });
}

module.exports = { pairs };

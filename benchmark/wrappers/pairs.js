'use strict';

/**
 * A client of the user's own, bare and wrapped: `make()` gives two functions that fetch the same JSON in the same way and
 * resolve to it. Those that answer by themselves (`isStub`) do next to nothing else, so that the wrapper's own work stands out.
 */

const http = require('node:http');
const { text } = require('node:stream/consumers');

const { packageVersion } = require('../lib/packages');

const JSON_TEXT = '{"hello":"world"}';

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
  'a fetch that is a mock': {
    version: process.versions.node,
    isStub: true,
    make() {
      const { wrapFetch } = require('../..');
      const mock = () => inNextTurn(() => new Response(JSON_TEXT));
      return { bare: readJson(mock), wrapped: readJson(wrapFetch(mock)) };
    },
  },
  'axios': {
    version: packageVersion('axios'),
    make() {
      const { wrapAxios } = require('../..');
      const axios = require('axios');
      const wrapped = wrapAxios(axios);
      return {
        bare: async (url) => (await axios.get(url)).data,
        wrapped: async (url) => (await wrapped.get(url)).data,
      };
    },
  },
  'axios over an adapter': {
    version: packageVersion('axios'),
    isStub: true,
    make() {
      const { wrapAxios } = require('../..');
      const axios = require('axios');
      const adapter = (config) =>
        inNextTurn(() => ({ data: JSON_TEXT, status: 200, statusText: 'OK', headers: {}, config, request: {} }));
      const bare = axios.create({ adapter });
      const wrapped = wrapAxios(axios.create({ adapter }));
      return {
        bare: async (url) => (await bare.get(url)).data,
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
  'http by options': {
    version: process.versions.node,
    make() {
      const { wrapHttp } = require('../..');
      return { bare: getWith(http, byOptions), wrapped: getWith(wrapHttp(http), byOptions) };
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
function getWith({ get, Agent }, argumentsOf = (url, agent) => [url, { agent }]) {
  const agent = new Agent({ keepAlive: true });
  return (url) => new Promise((resolve, reject) => {
    get(...argumentsOf(url, agent), (response) => {
      text(response).then(JSON.parse).then(resolve, reject);
    }).on('error', reject);
  });
}

const byOptions = (url, agent) => {
  const { protocol, hostname, port, pathname } = new URL(url);
  return [{ protocol, hostname, port, path: pathname, agent }];
};

function inNextTurn(make) {
  return new Promise((resolve) => {
    setImmediate(() => resolve(make()));
  });
}

module.exports = { pairs };

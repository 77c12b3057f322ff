'use strict';

const { bytesIfOk } = require('../lib/careful');
const { postInit } = require('../lib/fetchCaller');
const { packageVersion } = require('../../lib/packages');

let fetch;

/** node-fetch-usual.js with the promise of the second attempt returned: what the usual remedy was meant to be. */
module.exports = {
  version: packageVersion('node-fetch'),
  async setup() {
    ({ default: fetch } = await import('node-fetch'));
  },
  get: (url) => getBytes(url),
  post: (url, json) => getBytes(url, postInit(json)),
};

function getBytes(url, init, retries = 3) {
  return fetch(url, init)
    .then((res) => bytesIfOk(res))
    .catch((err) => {
      if (err.code !== 'ECONNRESET' || retries === 0) throw err;
      return getBytes(url, init, retries - 1);
    });
}

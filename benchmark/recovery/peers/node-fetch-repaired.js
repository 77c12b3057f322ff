'use strict';

const { bytesCaller } = require('../lib/callers');
const { bytesIfOk } = require('../lib/careful');
const { packageVersion } = require('../../lib/packages');

/** node-fetch-usual.js with the promise of the second attempt returned: what the usual remedy was meant to be. */
module.exports = bytesCaller({
  version: packageVersion('node-fetch'),
  async load() {
    const { default: fetch } = await import('node-fetch');
    return function getBytes(url, init, retries = 3) {
      return fetch(url, init)
        .then((res) => bytesIfOk(res))
        .catch((err) => {
          if (err.code !== 'ECONNRESET' || retries === 0) throw err;
          return getBytes(url, init, retries - 1);
        });
    };
  },
});

'use strict';

const { bytesCaller } = require('../lib/callers');
const { bytesIfOk } = require('../lib/careful');
const { packageVersion } = require('../../lib/packages');

/**
 * node-fetch with the recursive retry of scenario 6 (examples/06-microservices.js), as it is usually written: three
 * retries at once when `err.code` is ECONNRESET, whatever the method. The promise of the second attempt is not
 * returned: the caller gets undefined, and nobody hears of what becomes of it. node-fetch-repaired.js returns it.
 */
module.exports = bytesCaller({
  version: packageVersion('node-fetch'),
  async load() {
    const { default: fetch } = await import('node-fetch');
    return function getBytes(url, init, retries = 3) {
      return fetch(url, init)
        .then((res) => bytesIfOk(res))
        .catch((err) => {
          if (err.code !== 'ECONNRESET' || retries === 0) throw err;
          getBytes(url, init, retries - 1);
        });
    };
  },
});

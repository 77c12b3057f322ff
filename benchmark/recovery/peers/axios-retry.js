'use strict';

const { packageVersion } = require('../../lib/packages');

let axios;

/**
 * axios with axios-retry as the latter's README's first example has it: `axiosRetry(axios, { retries: 3 })`. Three
 * retries without a pause; a network error is retried whatever the method, a 5xx for idempotent methods; axios throws
 * for a status that is not 2xx. `responseType`, which no retry looks at, is what bytes need.
 */
module.exports = {
  version: `${packageVersion('axios-retry')} (axios ${packageVersion('axios')})`,
  async setup() {
    axios = require('axios');
    const { default: axiosRetry } = require('axios-retry');
    axiosRetry(axios, { retries: 3 });
  },
  async get(url) {
    const { data } = await axios.get(url, { responseType: 'arraybuffer' });
    return data;
  },
  async post(url, json) {
    const { data } = await axios.post(url, json, { responseType: 'arraybuffer' });
    return data;
  },
};

'use strict';

const { fetchCaller } = require('../lib/callers');
const { packageVersion } = require('../../lib/packages');

/**
 * fetch-retry around the built-in fetch as its README's first example has it:
 * `require('fetch-retry')(global.fetch)`, then `fetch(url, { retries: 3, retryDelay: 1000 })`, which are its defaults.
 * Network errors before the answer are retried whatever the method; a status is not.
 */
module.exports = fetchCaller({
  version: packageVersion('fetch-retry'),
  async load() {
    const fetch = require('fetch-retry')(globalThis.fetch);
    return (url, init) => fetch(url, { ...init, retries: 3, retryDelay: 1000 });
  },
});

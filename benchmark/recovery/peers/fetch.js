'use strict';

const { fetchCaller } = require('../lib/callers');

/** Node's built-in fetch, bare: no retries. */
module.exports = fetchCaller({
  version: process.versions.undici,
  load: async () => globalThis.fetch,
});

'use strict';

const { fetchPeer } = require('../lib/fetchPeer');

/** Node's built-in fetch as it comes: undici, of the version that Node was built with. */
module.exports = fetchPeer({
  version: process.versions.undici,
  load: async () => globalThis.fetch,
});

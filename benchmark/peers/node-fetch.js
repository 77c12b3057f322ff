'use strict';

const { fetchPeer } = require('../lib/fetchPeer');
const { packageVersion } = require('../lib/packages');

/** node-fetch as it comes: Node's global agent, which keeps connections. */
module.exports = fetchPeer({
  version: packageVersion('node-fetch'),
  load: async () => (await import('node-fetch')).default,
});

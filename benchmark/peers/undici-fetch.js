'use strict';

const { fetchPeer } = require('../lib/fetchPeer');
const { nodeMajor, packageVersion } = require('../lib/packages');

// undici 8 needs Node 22.
const name = nodeMajor >= 22 ? 'undici' : 'undici-7';

/** The fetch of the current undici, with its default dispatcher. */
module.exports = fetchPeer({
  version: packageVersion(name),
  load: async () => require(name).fetch,
});

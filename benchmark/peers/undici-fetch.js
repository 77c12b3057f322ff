'use strict';

const { fetchPeer } = require('../lib/fetchPeer');
const { newest, packageVersion } = require('../lib/packages');

const name = newest('undici');

/** The fetch of the current undici, with its default dispatcher. */
module.exports = fetchPeer({
  version: packageVersion(name),
  load: async () => require(name).fetch,
});

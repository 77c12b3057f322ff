'use strict';

const { fetchPeer } = require('../lib/fetchPeer');

/** This project's fetch as it comes, with its default policy. */
module.exports = fetchPeer({
  version: require('../../package.json').version,
  load: async () => require('../..').fetch,
});

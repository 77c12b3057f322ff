'use strict';

const { fetchPeer } = require('../lib/fetchPeer');

/** This project's fetch with resilience switched off: what the policy costs when nothing goes wrong. */
module.exports = {
  cases: ['json-1', 'json-50', 'json-500'],
  ...fetchPeer({
    version: require('../../package.json').version,
    load: async () => require('../..').createFetch({ retry: false }),
  }),
};

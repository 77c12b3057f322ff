'use strict';

const { fetchCaller } = require('../lib/callers');

/**
 * This project's fetch at its defaults: `const { fetch } = require('unreset')`, three retries within 60 s, the budget
 * on, POST not repeated unless it cannot have been seen.
 */
module.exports = fetchCaller({
  version: require('../../../package.json').version,
  load: async () => require('../../..').fetch,
});

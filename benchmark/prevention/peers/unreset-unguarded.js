'use strict';

const { fetchPeer } = require('../../lib/fetchPeer');

/** undici's default, and ours for calls that may be repeated, in ms. */
const TIMEOUT = 4000;

/**
 * This project's fetch without the shorter bound for calls that must not be repeated: what that bound gives. What the
 * server says and what it was seen to do still count.
 */
module.exports = fetchPeer({
  version: require('../../../package.json').version,
  load: async () => require('../../..').createFetch({ keepAlive: { timeout: TIMEOUT, guardedTimeout: TIMEOUT } }),
});

'use strict';

const { requireOk } = require('../lib/careful');
const { nodeMajor, packageVersion } = require('../../lib/packages');

// undici 8 needs Node 22.
const name = nodeMajor >= 22 ? 'undici' : 'undici-7';
let agent;

/**
 * undici's RetryAgent as docs/api/RetryAgent.md shows it: `new RetryAgent(new Agent())`, then `agent.request(...)`.
 * Five retries from 500 ms on, idempotent methods, 429 and 5xx; a broken body is continued by a Range request.
 */
module.exports = {
  version: packageVersion(name),
  async setup() {
    const { Agent, RetryAgent } = require(name);
    agent = new RetryAgent(new Agent());
  },
  get: (url) => request(url, { method: 'GET' }),
  post: (url, json) =>
    request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(json),
    }),
};

async function request(url, options) {
  const { origin, pathname, search } = new URL(url);
  const { statusCode, body } = await agent.request({ origin, path: pathname + search, ...options });
  requireOk(statusCode);
  return new Uint8Array(await body.arrayBuffer());
}

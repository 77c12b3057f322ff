'use strict';

const { bytesCaller } = require('../lib/callers');
const { requireOk } = require('../lib/careful');
const { newest, packageVersion } = require('../../lib/packages');

const name = newest('undici');

/**
 * undici's RetryAgent as docs/api/RetryAgent.md shows it: `new RetryAgent(new Agent())`, then `agent.request(...)`.
 * Five retries from 500 ms on, idempotent methods, 429 and 5xx; a broken body is continued by a Range request.
 */
module.exports = bytesCaller({
  version: packageVersion(name),
  async load() {
    const { Agent, RetryAgent } = require(name);
    const agent = new RetryAgent(new Agent());
    return async (url, init = { method: 'GET' }) => {
      const { origin, pathname, search } = new URL(url);
      const { statusCode, body } = await agent.request({ origin, path: pathname + search, ...init });
      requireOk(statusCode);
      return new Uint8Array(await body.arrayBuffer());
    };
  },
});

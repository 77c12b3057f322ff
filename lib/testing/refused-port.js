'use strict';

const { FaultProxy } = require('../proxy');

/**
 * A port of 127.0.0.1 that refuses every connection. A proxy holds it: a port that was merely given out and taken back
 * may be another program's by the time somebody connects.
 *
 * @returns {Promise<number>}
 */
async function refusedPort() {
  // The upstream is never asked.
  const proxy = await FaultProxy.listen({ upstream: 1 });
  proxy.add({ type: 'refuse', on: 'accept' });
  return proxy.unref().port;
}

module.exports = { refusedPort };

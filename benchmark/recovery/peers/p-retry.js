'use strict';

const { bytesCaller } = require('../lib/callers');
const { requireOk } = require('../lib/careful');
const { newest, packageVersion } = require('../../lib/packages');

const name = newest('p-retry');

/**
 * p-retry around the built-in fetch as its README's first example has it: `pRetry(run, { retries: 5 })`, where `run`
 * fetches, gives up on 404 and reads the body. Five retries after 1, 2, 4, 8, 16 s, whatever the method. `run` does
 * not throw for a 503, so that is not retried; the careful caller fails it afterwards.
 */
module.exports = bytesCaller({
  version: packageVersion(name),
  async load() {
    const { default: pRetry, AbortError } = await import(name);
    return async (url, init) => {
      const run = async () => {
        const response = await fetch(url, init);
        if (response.status === 404) throw new AbortError(response.statusText);
        return { status: response.status, bytes: new Uint8Array(await response.arrayBuffer()) };
      };
      const { status, bytes } = await pRetry(run, { retries: 5 });
      requireOk(status);
      return bytes;
    };
  },
});

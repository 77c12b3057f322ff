'use strict';

const { requireOk } = require('../lib/careful');
const { postInit } = require('../lib/fetchCaller');
const { nodeMajor, packageVersion } = require('../../lib/packages');

// p-retry 9 needs Node 22.
const name = nodeMajor >= 22 ? 'p-retry' : 'p-retry-7';
let pRetry;
let AbortError;

/**
 * p-retry around the built-in fetch as its README's first example has it: `pRetry(run, { retries: 5 })`, where `run`
 * fetches, gives up on 404 and reads the body. Five retries after 1, 2, 4, 8, 16 s, whatever the method. `run` does
 * not throw for a 503, so that is not retried; the careful caller fails it afterwards.
 */
module.exports = {
  version: packageVersion(name),
  async setup() {
    ({ default: pRetry, AbortError } = await import(name));
  },
  get: (url) => call(url),
  post: (url, json) => call(url, postInit(json)),
};

async function call(url, init) {
  const run = async () => {
    const response = await fetch(url, init);
    if (response.status === 404) throw new AbortError(response.statusText);
    return { status: response.status, bytes: new Uint8Array(await response.arrayBuffer()) };
  };
  const { status, bytes } = await pRetry(run, { retries: 5 });
  requireOk(status);
  return bytes;
}

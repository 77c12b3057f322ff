'use strict';

const { newest, packageVersion } = require('../../lib/packages');

const name = newest('ky');
let ky;

/**
 * ky as its README's first example has it: `ky.post(url, { json })`, no options of its own. Two retries, idempotent
 * methods only, Retry-After obeyed, and a timeout of 10 s; it throws for a status that is not 2xx.
 */
module.exports = {
  version: packageVersion(name),
  async setup() {
    ({ default: ky } = await import(name));
  },
  get: async (url) => new Uint8Array(await ky(url).arrayBuffer()),
  post: async (url, json) => new Uint8Array(await ky.post(url, { json }).arrayBuffer()),
};

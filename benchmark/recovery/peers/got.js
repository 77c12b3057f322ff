'use strict';

const { newest, packageVersion } = require('../../lib/packages');

const name = newest('got');
let got;

/**
 * got as its README's first example has it: `got.post(url, { json })`, no options of its own. Two retries after about
 * 1 and 2 s, idempotent methods only, Retry-After obeyed; it throws for a status that is not 2xx.
 */
module.exports = {
  version: packageVersion(name),
  async setup() {
    ({ default: got } = await import(name));
  },
  get: (url) => got(url).buffer(),
  post: (url, json) => got.post(url, { json }).buffer(),
};

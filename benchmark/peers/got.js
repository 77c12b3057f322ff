'use strict';

const { JSON_BODY } = require('../cases');
const { newest, packageVersion } = require('../lib/packages');

const name = newest('got');
let got;

/** got as it comes: Node's global agent, which keeps connections, and got's own retries. */
module.exports = {
  version: packageVersion(name),
  async setup() {
    ({ default: got } = await import(name));
  },
  json: (url) => got(url).json(),
  inflated: (url) => got(url).json(),
  bytes: (url) => got(url).buffer(),
  post: (url) => got.post(url, { json: JSON_BODY }).json(),
  async drain(url) {
    let length = 0;
    for await (const chunk of got.stream(url)) length += chunk.length;
    return length;
  },
};

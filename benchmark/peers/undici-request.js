'use strict';

const { JSON_BODY } = require('../cases');
const { newest, packageVersion } = require('../lib/packages');

const name = newest('undici');
let request;

/** undici's own interface, which skips what the fetch standard asks for, compression included; its default dispatcher. */
module.exports = {
  version: packageVersion(name),
  async setup() {
    ({ request } = require(name));
  },
  async json(url) {
    const { body } = await request(url);
    return body.json();
  },
  async bytes(url) {
    const { body } = await request(url);
    return body.arrayBuffer();
  },
  async post(url) {
    const { body } = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(JSON_BODY),
    });
    return body.json();
  },
  async drain(url) {
    const { body } = await request(url);
    let length = 0;
    for await (const chunk of body) length += chunk.length;
    return length;
  },
};

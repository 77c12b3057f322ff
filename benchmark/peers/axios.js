'use strict';

const { JSON_BODY } = require('../cases');
const { packageVersion } = require('../lib/packages');

let axios;

async function json(url) {
  const { data } = await axios.get(url);
  return data;
}

/** axios as it comes: the http adapter over Node's global agent, which keeps connections. */
module.exports = {
  version: packageVersion('axios'),
  async setup() {
    axios = require('axios');
  },
  json,
  inflated: json,
  async bytes(url) {
    const { data } = await axios.get(url, { responseType: 'arraybuffer' });
    return data;
  },
  async post(url) {
    const { data } = await axios.post(url, JSON_BODY);
    return data;
  },
  async drain(url) {
    const { data } = await axios.get(url, { responseType: 'stream' });
    let length = 0;
    for await (const chunk of data) length += chunk.length;
    return length;
  },
};

'use strict';

const { Agent } = require('node:http');

const { JSON_BODY } = require('../../cases');
const { packageVersion } = require('../../lib/packages');

let client;

/**
 * axios with `new http.Agent({ keepAlive: true })`, as its users are told to keep connections. Unlike Node's global
 * agent, such an agent has no limit of its own on how long a connection may idle.
 */
module.exports = {
  version: packageVersion('axios'),
  async setup() {
    client = require('axios').create({ httpAgent: new Agent({ keepAlive: true }) });
  },
  async post(url) {
    const { data } = await client.post(url, JSON_BODY);
    return data;
  },
};

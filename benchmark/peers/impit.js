'use strict';

const { fetchPeer } = require('../lib/fetchPeer');
const { packageVersion } = require('../lib/packages');

/** impit, the other fetch on reqwest and napi: one instance, no browser emulated. */
module.exports = fetchPeer({
  version: packageVersion('impit'),
  async load() {
    const { Impit } = require('impit');
    const impit = new Impit();
    return (url, init) => impit.fetch(url, init);
  },
});

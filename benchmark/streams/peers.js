'use strict';

/** How a program reads a large file over HTTP as a Node stream; each as it comes. */

const { Readable } = require('node:stream');

const { newest, packageVersion } = require('../lib/packages');

/**
 * @typedef {object} Peer
 * @property {string} version
 * @property {() => Promise<(url: string) => Promise<Readable> | Readable>} setup
 *
 * @type {Record<string, Peer>}
 */
const peers = {
  'unreset download': {
    version: require('../../package.json').version,
    async setup() {
      const { download } = require('../..');
      return (url) => download(url);
    },
  },
  fetch: {
    version: process.versions.undici,
    setup: async () => async (url) => Readable.fromWeb((await fetch(url)).body),
  },
  'got.stream': {
    version: packageVersion(newest('got')),
    async setup() {
      const { got } = await import(newest('got'));
      // Undoes nothing, like the others on this file.
      return (url) => got.stream(url);
    },
  },
};

module.exports = { peers };

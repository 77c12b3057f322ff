'use strict';

/** A client whose process ends at its first call after the warm-up. */

module.exports = {
  version: '0',
  async setup() {},
  async get(url) {
    if (!url.includes('/warm-up-')) process.exit(3);
    return new Uint8Array();
  },
  async post() {
    process.exit(3);
  },
};

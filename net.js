'use strict';

/** `unreset/net`, in the place of `node:net` where that is used to connect. `docs/socket.md`. */

// First, as in `index.js`.
require('./lib/native');

module.exports = require('./lib/net');

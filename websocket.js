'use strict';

/** `unreset/websocket`, in the place of `ws` where that is a client: the class itself, with the rest on it. `docs/websocket.md`. */

// First, as in `index.js`.
require('./lib/native');

const { WebSocket, createWebSocketStream } = require('./lib/websocket');

module.exports = WebSocket;
module.exports.WebSocket = WebSocket;
module.exports.createWebSocketStream = createWebSocketStream;

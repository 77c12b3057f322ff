'use strict';

/** What takes the place of `ws` where that is a client, and of the built-in WebSocket. `docs/websocket.md`. */

const { WebSocket } = require('./websocket');
const { createWebSocketStream } = require('./stream');

// Where `ws` has it.
WebSocket.createWebSocketStream = createWebSocketStream;

module.exports = { WebSocket, createWebSocketStream };

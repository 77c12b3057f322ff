/**
 * `unreset/websocket`: what takes the place of `ws` where that is a client. `docs/websocket.md` is the guide.
 *
 * ```js
 * import WebSocket, { createWebSocketStream } from 'unreset/websocket'; // was: from 'ws'
 *
 * const ws = new WebSocket('wss://example.com/feed');
 * ws.on('message', (data, isBinary) => console.log(String(data)));
 * ```
 */

import { WebSocket as Client, createWebSocketStream as createStream } from './index';

declare class WebSocket extends Client {}

declare namespace WebSocket {
  export { Client as WebSocket, createStream as createWebSocketStream };
}

export = WebSocket;

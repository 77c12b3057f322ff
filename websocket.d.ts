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

import { WebSocket, createWebSocketStream } from './index';

export { WebSocket, createWebSocketStream };
export default WebSocket;

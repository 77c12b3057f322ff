/**
 * `unreset/net`: what takes the place of `node:net` where that is used to connect. `docs/socket.md` is the guide.
 *
 * ```js
 * import net from 'unreset/net'; // was: import net from 'node:net'
 *
 * const client = new net.Socket();
 * client.connect(1337, 'device.local', () => client.write('Hello'));
 * ```
 */

export { Socket, connect, createConnection } from './index';

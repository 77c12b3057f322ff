'use strict';

/** A service of one's own, with a driver of one's own: lines that are answered by lines. `add` counts, `ping` does not. */

const net = require('node:net');
const { once } = require('node:events');

class LineServer {
  #sockets = new Set();
  added = 0;
  pings = 0;

  async listen(port = 0) {
    this.server = net.createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket)).on('error', () => {});
      socket.setEncoding('utf8').on('data', (text) => {
        for (const line of text.trim().split('\n')) this.#answer(socket, line);
      });
    }).listen(port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = this.server.address().port;
    return this;
  }

  #answer(socket, line) {
    if (line === 'add') this.added += 1;
    if (line === 'ping') this.pings += 1;
    if (line !== 'silence') socket.write(`${line} done\n`);
  }

  async close() {
    this.server.close();
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await once(this.server, 'close');
  }
}

/** How one would write it: it connects, and says nothing about what happens later. */
async function connectTo(port, { signal } = {}) {
  const socket = net.connect({ port, host: '127.0.0.1', signal });
  await once(socket, 'connect');
  return socket.setEncoding('utf8');
}

/** Resolves with the answer, rejects with what the socket fails with. */
function ask(socket, line) {
  return new Promise((resolve, reject) => {
    const onClose = () => reject(Object.assign(new Error('The socket was closed.'), { code: 'ECONNRESET' }));
    socket.once('data', (text) => {
      socket.off('error', reject).off('close', onClose);
      resolve(text.trim());
    });
    socket.once('error', reject).once('close', onClose);
    socket.write(`${line}\n`);
  });
}

module.exports = { LineServer, ask, connectTo };

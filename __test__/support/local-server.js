'use strict';

/** What the servers in the way have in common: a port of their own, the sockets that are open, and an end. */

const { once } = require('node:events');

/** @type {Set<LocalServer>} */
const open = new Set();

class LocalServer {
  #server;
  #sockets = new Set();

  /** @param {import('node:net').Server} server that does not listen yet */
  constructor(server) {
    this.#server = server;
  }

  get port() {
    return this.#server.address().port;
  }

  /** Closes a socket with the server. */
  keep(socket) {
    this.#sockets.add(socket);
    // Either end may reset by design.
    socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
  }

  async listen() {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    open.add(this);
    return this;
  }

  async close() {
    open.delete(this);
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }
}

/** Ends the servers of this file. */
async function closeServers() {
  await Promise.all(Array.from(open, (server) => server.close()));
}

module.exports = { LocalServer, closeServers };

'use strict';

/** Both ends of TCP connections, seen byte by byte: what has arrived, and how it ended. No test has to sleep. */

const net = require('node:net');
const { EventEmitter, once } = require('node:events');

/** One end of a connection. */
class Peer {
  #chunks = [];
  #news = new EventEmitter().setMaxListeners(0);

  /** @param {net.Socket} socket */
  constructor(socket) {
    this.socket = socket;
    socket.on('data', (chunk) => {
      this.#chunks.push(chunk);
      this.#news.emit('data');
    });
    /** 'FIN', or the code of the error that ended it; settles once nothing more can arrive. @type {Promise<string>} */
    this.ended = new Promise((resolve) => {
      socket.on('end', () => resolve('FIN'));
      socket.on('error', ({ code }) => resolve(code));
      socket.on('close', () => resolve('closed here'));
    });
  }

  get received() {
    return Buffer.concat(this.#chunks);
  }

  /** Resolves with all that has arrived, when it is at least `count` bytes. */
  async bytes(count) {
    while (this.received.length < count) await once(this.#news, 'data');
    return this.received;
  }

  /** Sends; resolves when the system has taken it. */
  write(data) {
    return new Promise((resolve) => {
      this.socket.write(data, () => resolve());
    });
  }
}

/** @type {Set<net.Socket>} */
const sockets = new Set();
/** @type {Set<net.Server>} */
const servers = new Set();

/**
 * @param {number} port
 * @param {string} [host]
 * @returns {Promise<Peer>} rejects with the error of a connection that is not made
 */
async function connect(port, host = '127.0.0.1') {
  const socket = net.connect({ port, host, allowHalfOpen: true });
  sockets.add(socket);
  await once(socket, 'connect');
  return new Peer(socket);
}

/**
 * @param {(peer: Peer) => void} [onConnection]
 * @param {{ host?: string, port?: number }} [place]
 * @returns {Promise<{ port: number, accepted: Peer[], connection(index: number): Promise<Peer> }>}
 */
async function listen(onConnection = () => {}, { host = '127.0.0.1', port = 0 } = {}) {
  const accepted = [];
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    const peer = new Peer(socket);
    accepted.push(peer);
    server.emit('accepted');
    onConnection(peer);
  });
  servers.add(server.setMaxListeners(0));
  server.listen(port, host);
  await once(server, 'listening');
  return {
    port: server.address().port,
    accepted,
    async connection(index) {
      while (accepted.length <= index) await once(server, 'accepted');
      return accepted[index];
    },
  };
}

/** Ends all connections and servers of this file. */
async function closeTcp() {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  const closing = Array.from(servers, async (server) => {
    server.close();
    await once(server, 'close');
  });
  servers.clear();
  await Promise.all(closing);
}

module.exports = { connect, listen, closeTcp };

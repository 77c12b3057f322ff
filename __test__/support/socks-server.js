'use strict';

/** A SOCKS 5 proxy (RFC 1928, and 1929 for passwords) that can refuse. */

const net = require('node:net');
const { once } = require('node:events');
const { LocalServer, closeServers } = require('./local-server');

const PASSWORD = 2;
const NONE_ACCEPTABLE = 0xff;

class SocksServer extends LocalServer {
  /**
   * What becomes of a request instead of a connection, one after the other: `'reset'`, `'close'`, or the number of a reply.
   * When there is nothing left, connections are made.
   * @type {(string | number)[]}
   */
  refusals = [];
  /** The servers that were asked for, as they were named. @type {string[]} */
  asked = [];
  /** `user:password` of everybody who may connect; `undefined`: everybody may. @type {string | undefined} */
  credentials;

  constructor() {
    const server = net.createServer();
    super(server);
    server.on('connection', (socket) => this.#accept(socket));
  }

  /** @param {string} [scheme] */
  url(scheme = 'socks5', credentials = '') {
    return `${scheme}://${credentials}127.0.0.1:${this.port}`;
  }

  #accept(socket) {
    this.keep(socket);
    this.#serve(socket).catch(() => socket.destroy());
  }

  async #serve(socket) {
    const read = reader(socket);
    const [, count] = await read(2);
    const methods = await read(count);
    const wanted = this.credentials === undefined ? 0 : PASSWORD;
    if (!methods.includes(wanted)) {
      socket.end(Buffer.from([5, NONE_ACCEPTABLE]));
      return;
    }
    socket.write(Buffer.from([5, wanted]));
    if (wanted === PASSWORD) {
      const [, length] = await read(2);
      const user = await read(length);
      const password = await read((await read(1))[0]);
      const matches = `${user}:${password}` === this.credentials;
      socket.write(Buffer.from([1, matches ? 0 : 1]));
      if (!matches) {
        socket.end();
        return;
      }
    }
    const [, , , type] = await read(4);
    const host = await readHost(type, read);
    const port = (await read(2)).readUInt16BE();
    this.asked.push(`${host}:${port}`);
    this.#answer(socket, port);
  }

  /** Every name is this computer's. */
  #answer(socket, port) {
    const refusal = this.refusals.shift();
    if (refusal === 'reset') {
      socket.resetAndDestroy();
      return;
    }
    if (refusal === 'close') {
      socket.end();
      return;
    }
    if (refusal !== undefined) {
      socket.end(reply(refusal));
      return;
    }
    const unreachable = () => socket.end(reply(5));
    const server = net.connect(port, '127.0.0.1', () => {
      server.off('error', unreachable);
      socket.write(reply(0));
      socket.pipe(server).pipe(socket);
    });
    this.keep(server);
    server.on('error', unreachable);
  }
}

/** Reads so and so many bytes, one call after the other. What follows stays in the socket. */
function reader(socket) {
  return async (length) => {
    if (length === 0) return Buffer.alloc(0);
    for (;;) {
      const bytes = socket.read(length);
      if (bytes !== null) return bytes;
      if (socket.readableEnded || socket.destroyed) throw new Error('The client has closed.');
      await Promise.race([once(socket, 'readable'), once(socket, 'close')]);
    }
  };
}

async function readHost(type, read) {
  if (type === 1) return Array.from(await read(4)).join('.');
  if (type === 4) return `[${(await read(16)).toString('hex')}]`;
  return String(await read((await read(1))[0]));
}

function reply(number) {
  return Buffer.from([5, number, 0, 1, 0, 0, 0, 0, 0, 0]);
}

/** @returns {Promise<SocksServer>} */
function startSocks() {
  return new SocksServer().listen();
}

module.exports = { startSocks, closeSocks: closeServers };

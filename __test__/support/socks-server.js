'use strict';

/** A SOCKS 5 proxy (RFC 1928, and 1929 for passwords) that can refuse. */

const net = require('node:net');
const { once } = require('node:events');

/** @type {Set<SocksServer>} */
const open = new Set();

const PASSWORD = 2;
const NONE_ACCEPTABLE = 0xff;

class SocksServer {
  #server = net.createServer((socket) => this.#accept(socket));
  #sockets = new Set();

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

  async listen() {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get port() {
    return this.#server.address().port;
  }

  /** @param {string} [scheme] */
  url(scheme = 'socks5', credentials = '') {
    return `${scheme}://${credentials}127.0.0.1:${this.port}`;
  }

  #keep(socket) {
    this.#sockets.add(socket);
    // Either end may reset by design.
    socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
  }

  #accept(socket) {
    this.#keep(socket);
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
    this.#keep(server);
    server.on('error', unreachable);
  }

  async close() {
    open.delete(this);
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
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
async function startSocks() {
  const proxy = await new SocksServer().listen();
  open.add(proxy);
  return proxy;
}

/** Ends the proxies of this file. */
async function closeSocks() {
  await Promise.all(Array.from(open, (proxy) => proxy.close()));
}

module.exports = { startSocks, closeSocks };

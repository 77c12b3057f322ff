'use strict';

/**
 * A program that ends without closing its handle. `down`: there is no server, and nobody waits; `waiting`: somebody does;
 * `lost`: there was a server once; `unheard`: nobody listens to anything that fails; `pool`: as `down`, with a pool; `thrown`: listeners and hooks throw.
 */

const { once } = require('node:events');
const net = require('node:net');
const pg = require('pg');
const { persistent, wrapPgPool } = require('../../../..');

const [, , what, refusedPort] = process.argv;

const handle = (port, source) => persistent({
  async connect({ signal }) {
    const socket = net.connect({ port: Number(port), host: '127.0.0.1', signal });
    await once(socket, 'connect');
    return socket.unref();
  },
  close: (socket) => socket.destroy(),
  ...source,
}, { timeout: { wait: 300 }, reconnect: { backoff: { base: 60_000, cap: 60_000 } } });

const programs = {
  async down() {
    await handle(refusedPort).get({ timeout: 50 }).catch(({ code }) => console.log(code));
  },
  async pool() {
    const db = wrapPgPool(new pg.Pool({ host: '127.0.0.1', port: Number(refusedPort), user: 'nobody' }), { timeout: { wait: 50 } });
    await db.query('SELECT 1').catch(({ code }) => console.log(code));
  },
  async thrown() {
    const uncaught = [];
    process.on('uncaughtException', ({ message }) => uncaught.push(message));
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const db = handle(server.address().port, {
      isBroken() {
        throw new Error('in isBroken');
      },
    });
    db.once('up', () => {
      throw new Error('in a listener');
    });
    const error = await db.run(() => {}, { timeout: 200 }).catch(({ code }) => code);
    server.close();
    await db.close();
    console.log(error, ...new Set(uncaught));
  },
  waiting() {
    handle(refusedPort).get().catch(({ code }) => console.log(code));
  },
  async lost() {
    const server = net.createServer((socket) => socket.once('data', () => socket.resetAndDestroy())).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const db = handle(server.address().port);
    const lost = new Promise((resolve) => {
      db.on('down', resolve);
    });
    (await db.get()).write('hello');
    await lost;
    server.close();
    console.log('lost');
  },
  async unheard() {
    const db = handle(refusedPort);
    await db.run(() => {}, { timeout: 20 }).catch(() => {});
    // Nobody waits for these, as in the handler of a signal.
    db.close();
    db.close();
    console.log('closed');
  },
};

programs[what]();

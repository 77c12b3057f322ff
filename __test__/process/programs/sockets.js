'use strict';

// How long a process lives that has sockets, and what they leave behind: the case is the first argument.

const fs = require('node:fs');
const net = require('node:net');
const { once } = require('node:events');
const { Worker, isMainThread, workerData } = require('node:worker_threads');
const { Socket } = require('../../..');

const SOON = { backoff: { base: 1, cap: 5 } };

const CASES = {
  /** Nothing else keeps the process alive: what comes must still arrive, and then it must end by itself. */
  async waits(port) {
    const client = connect(port);
    client.on('data', (chunk) => {
      console.log(String(chunk));
      client.end();
    });
  },
  /** A wait between two attempts is part of the socket's life. */
  async waitsWhileDown() {
    const port = await quietPort();
    const client = connect(port, { reconnect: { backoff: { base: 100, cap: 100 } } });
    let waits = 0;
    client.on('reconnecting', () => {
      waits += 1;
      if (waits < 5) return;
      console.log('waited');
      client.destroy();
    });
  },
  /** Whoever is not referenced keeps nothing alive, connected or not. */
  async unref(port) {
    const connected = connect(port);
    await once(connected, 'connect');
    connected.unref();
    connect(await quietPort()).unref();
    console.log('ends');
  },
  /** Referenced again. */
  async ref(port) {
    const client = connect(port).unref();
    client.ref();
    client.on('data', (chunk) => {
      console.log(String(chunk));
      client.destroy();
    });
  },
  /** An exit with sockets in every state. */
  async exits(port) {
    const quiet = await quietPort();
    for (let i = 0; i < 30; i++) {
      connect(port).write('x'.repeat(100_000));
      connect(quiet).write('x');
      connect(port, { onConnect: () => new Promise(() => {}) });
    }
    await once(connect(port), 'connect');
    console.log('exiting');
    process.exit(7);
  },
  /** As with any socket, an error that nobody listens to is uncaught. */
  async unheard() {
    connect(await quietPort(), { reconnect: false });
  },
  /** Destroyed at every moment, by turns. */
  async destroys(port) {
    const quiet = await quietPort();
    const before = descriptors();
    const moments = [
      () => connect(port).destroy(),
      () => connect(quiet).destroy(),
      () => new Socket().destroy(),
      () => connect(port).resetAndDestroy(),
      () => {
        const client = connect(port);
        client.write('x'.repeat(1_000_000), () => {});
        setImmediate(() => client.destroy());
        return client;
      },
      () => connect(port).once('connect', destroy),
      () => connect(port).once('data', resetAndDestroy),
      () => connect(port, { onConnect: destroy }),
      () => connect(quiet).on('error', () => {}).once('reconnecting', destroyWithError),
      () => connect(port).once('data', end).on('finish', destroy),
    ];
    for (let i = 0; i < 1000; i++) {
      const client = moments[i % moments.length]();
      await new Promise((resolve) => {
        client.on('close', resolve);
      });
    }
    const { nativeEngine } = require('../../../lib/engine/engine');
    for (let i = 0; i < 500 && (nativeEngine().openCalls > 0 || descriptors() > before + 5); i++) {
      await new Promise((resolve) => {
        setTimeout(resolve, 10);
      });
    }
    console.log(JSON.stringify({ native: nativeEngine().openCalls, descriptors: descriptors() <= before + 5 }));
  },
  /** Ten thousand connections that are reset, of fifty sockets: each has a host, and so a calendar, of its own. */
  async resets() {
    const [sockets, warm, all] = [50, 2000, 10_000];
    const server = net.createServer((peer) => {
      peer.on('error', () => {}).on('data', () => peer.resetAndDestroy());
    });
    server.listen(0, '0.0.0.0');
    await once(server, 'listening');
    let resets = 0;
    const held = {};
    await new Promise((resolve) => {
      for (let i = 1; i <= sockets; i++) {
        const client = new Socket({ reconnect: { backoff: { base: 0 } } });
        const ask = () => client.write('x', () => {});
        client.connect(server.address().port, `127.0.0.${i}`);
        client.on('connect', ask).on('reconnect', ask).on('disconnect', () => {
          resets += 1;
          if (resets === warm) held.before = heldNow();
          if (resets === all) resolve();
        });
      }
    });
    held.after = heldNow();
    console.log(JSON.stringify(held));
    process.exit();
  },
  /** Workers that end with sockets open. */
  async workers(port) {
    for (let i = 0; i < 10; i++) {
      const worker = new Worker(__filename, { argv: ['worker'], workerData: port });
      await once(worker, 'message');
      await worker.terminate();
    }
    console.log('terminated');
  },
};

function heldNow() {
  for (let i = 0; i < 3; i++) global.gc();
  const { rss, heapUsed } = process.memoryUsage();
  return { rss, heapUsed, handles: process.getActiveResourcesInfo().length, descriptors: descriptors() };
}

function destroy() {
  this.destroy();
}

function destroyWithError() {
  this.destroy(new Error('mine'));
}

function resetAndDestroy() {
  this.resetAndDestroy();
}

function end() {
  this.end();
}

function connect(port, options) {
  return new Socket({ reconnect: SOON, ...options }).connect(port, '127.0.0.1');
}

async function quietPort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

function descriptors() {
  return process.platform === 'linux' ? fs.readdirSync('/proc/self/fd').length : 0;
}

async function main() {
  const server = net.createServer((socket) => {
    // Only what a socket of ours holds keeps the process alive.
    socket.unref();
    socket.on('error', () => {}).resume();
    setTimeout(() => socket.write('later'), 20).unref();
    socket.on('end', () => socket.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.unref();
  await CASES[process.argv[2]](server.address().port);
}

if (isMainThread) {
  main();
} else {
  const { parentPort } = require('node:worker_threads');
  for (let i = 0; i < 20; i++) connect(workerData).write('x');
  connect(workerData).on('connect', () => parentPort.postMessage('connected'));
}

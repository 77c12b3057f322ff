'use strict';

/** WebSockets of a process that ends, throws or blocks: `node websockets.js <what>`. */

const { once } = require('node:events');
const { WebSocketServer } = require('ws');
const { WebSocket } = require('../../..');

async function serve(onConnection = () => {}) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  server.on('connection', onConnection);
  await once(server, 'listening');
  return { server, url: `ws://127.0.0.1:${server.address().port}` };
}

const PROGRAMS = {
  /** Listeners throw for every message of a batch. */
  async throws() {
    const uncaught = [];
    process.on('uncaughtException', ({ message }) => uncaught.push(message));
    const { url, server } = await serve((socket) => {
      for (const text of ['1', '2', '3', '4']) socket.send(text);
      socket.close(1000);
    });
    const ws = new WebSocket(url);
    const [heard, events] = [[], []];
    ws.on('message', (data) => {
      heard.push(String(data));
      throw new Error(`of ${data}`);
    });
    ws.addEventListener('message', ({ data }) => {
      events.push(data);
      throw new Error(`of the event ${data}`);
    });
    await once(ws, 'close');
    await new Promise(setImmediate);
    console.log(JSON.stringify({ heard, events, uncaught: uncaught.sort((a, b) => Number(a.at(-1)) - Number(b.at(-1)) || a.length - b.length) }));
    server.close();
  },

  /** An open WebSocket keeps the process alive. */
  async waits() {
    const { server, url } = await serve((socket) => setTimeout(() => socket.close(1000), 50));
    server.unref?.();
    const ws = new WebSocket(url);
    ws.on('close', () => {
      console.log('later');
      server.close();
    });
  },

  /** One that nobody waits for does not. */
  async unref() {
    const { fork } = require('node:child_process');
    const child = fork(__filename, ['serves'], { stdio: 'inherit' });
    const [url] = await once(child, 'message');
    const ws = new WebSocket(url);
    await once(ws, 'open');
    ws.unref();
    child.disconnect();
    child.unref();
    console.log('ends');
  },

  /** Ends with the one that it serves. */
  async serves() {
    const { server, url } = await serve();
    process.on('disconnect', () => {
      for (const socket of server.clients) socket.terminate();
      server.close();
    });
    server.on('connection', (socket) => socket.on('close', () => process.exit()));
    process.send(url);
  },

  async exits() {
    const { url } = await serve();
    const sockets = Array.from({ length: 20 }, () => new WebSocket(url, { reconnect: { backoff: { base: 1, cap: 2 } } }));
    for (const socket of sockets) socket.on('error', () => {});
    await once(sockets[0], 'open');
    sockets[1].terminate();
    sockets[2].close();
    sockets[3].send('x'.repeat(1_000_000));
    const nowhere = new WebSocket('ws://127.0.0.1:1');
    nowhere.on('error', () => {});
    process.stdout.write('exiting\n', () => process.exit(7));
  },

  /** A program that listens as one does with `ws`, and not for errors. */
  async unheard() {
    const { server, url } = await serve();
    await new Promise((resolve) => {
      server.close(resolve);
    });
    new WebSocket(url, { reconnect: false }).on('open', () => {});
  },

  /** On the standard's surface an error that nobody listens for is no more than an event. */
  async unheardEvent() {
    const { server, url } = await serve();
    await new Promise((resolve) => {
      server.close(resolve);
    });
    new WebSocket(url, { reconnect: false }).onclose = ({ code }) => console.log(code);
  },
};

PROGRAMS[process.argv[2]]();

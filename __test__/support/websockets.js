'use strict';

/** Both ends of WebSockets in tests: ours, servers of `ws`, and servers that speak the protocol byte by byte. */

const { createHash } = require('node:crypto');
const http = require('node:http');
const https = require('node:https');
const { EventEmitter, once } = require('node:events');
const { WebSocketServer } = require('ws');
const { WebSocket } = require('../..');

/** Comes back within a few milliseconds. */
const SOON = Object.freeze({ backoff: { base: 1, cap: 20 } });

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** @type {Set<WebSocket>} */
const clients = new Set();
/** @type {Set<{ close(): Promise<void> }>} */
const servers = new Set();

/**
 * A server of `ws`.
 *
 * @param {(socket: import('ws').WebSocket, request: http.IncomingMessage) => void} [onConnection]
 * @param {object} [options] those of `WebSocketServer`; `port`; `tls`, for `https.createServer`
 */
async function serve(onConnection = () => {}, { port = 0, tls, ...options } = {}) {
  const server = tls === undefined ? http.createServer() : https.createServer(tls);
  const sockets = new Set();
  server.on('connection', (socket) => sockets.add(socket));
  const wss = new WebSocketServer({ server, ...options });
  const accepted = [];
  const requests = [];
  const news = new EventEmitter().setMaxListeners(0);
  wss.on('connection', (socket, request) => {
    socket.on('error', () => {});
    accepted.push(socket);
    requests.push(request);
    onConnection(socket, request);
    news.emit('accepted');
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const { port: bound } = server.address();
  const made = {
    port: bound,
    url: `${tls === undefined ? 'ws' : 'wss'}://127.0.0.1:${bound}`,
    server,
    wss,
    accepted,
    requests,
    async connection(index) {
      while (accepted.length <= index) await once(news, 'accepted');
      return accepted[index];
    },
    /** Every connection is reset; the port goes on. */
    resetAll() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    async close() {
      servers.delete(made);
      for (const socket of sockets) socket.destroy();
      wss.close();
      server.close();
      if (server.listening) await once(server, 'close');
    },
  };
  servers.add(made);
  return made;
}

/** One that sends back whatever comes. */
function echoing(options) {
  return serve((socket) => socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })), options);
}

/**
 * A server that answers the handshake by the book, and leaves the rest to `onUpgrade`.
 *
 * @param {(socket: import('node:net').Socket, request: http.IncomingMessage) => void} onUpgrade
 * @param {(request: http.IncomingMessage, accept: string) => string[]} [headers] lines of the answer
 */
async function serveRaw(onUpgrade, headers = acceptingHeaders) {
  const server = http.createServer((request, response) => response.writeHead(426).end());
  const sockets = new Set();
  const made = { upgrades: 0 };
  server.on('upgrade', (request, socket) => {
    sockets.add(socket);
    made.upgrades += 1;
    socket.on('error', () => {});
    const accept = createHash('sha1').update(request.headers['sec-websocket-key'] + GUID).digest('base64');
    socket.write(`${headers(request, accept).join('\r\n')}\r\n\r\n`);
    onUpgrade(socket, request);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  Object.assign(made, {
    port,
    url: `ws://127.0.0.1:${port}`,
    async close() {
      servers.delete(made);
      for (const socket of sockets) socket.destroy();
      server.close();
      if (server.listening) await once(server, 'close');
    },
  });
  servers.add(made);
  return made;
}

function acceptingHeaders(request, accept) {
  return ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${accept}`];
}

const OPCODES = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

/** A frame, by default one that a server may send. */
function frame(type, payload = '', { fin = true, masked = false, rsv = 0 } = {}) {
  const data = Buffer.from(payload);
  const first = (fin ? 0x80 : 0) | (rsv << 4) | OPCODES[type];
  const mask = masked ? 0x80 : 0;
  let head;
  if (data.length < 126) head = Buffer.from([first, mask | data.length]);
  else if (data.length < 65_536) head = Buffer.from([first, mask | 126, data.length >> 8, data.length & 0xff]);
  else {
    head = Buffer.alloc(10);
    head.set([first, mask | 127]);
    head.writeBigUInt64BE(BigInt(data.length), 2);
  }
  if (!masked) return Buffer.concat([head, data]);
  const key = Buffer.from([1, 2, 3, 4]);
  return Buffer.concat([head, key, data.map((byte, index) => byte ^ key[index % 4])]);
}

/** The payload of a Close frame. */
function closing(code, reason = '') {
  return Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]);
}

/** Frames that came from a client, whole ones. `onFrame({ opcode, fin, rsv1, payload })` for each. */
function readFrames(socket, onFrame) {
  let rest = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      if (rest.length < 2) return;
      let length = rest[1] & 0x7f;
      let at = 2;
      if (length === 126) {
        if (rest.length < 4) return;
        length = rest.readUInt16BE(2);
        at = 4;
      } else if (length === 127) {
        if (rest.length < 10) return;
        length = Number(rest.readBigUInt64BE(2));
        at = 10;
      }
      const isMasked = (rest[1] & 0x80) !== 0;
      const start = at + (isMasked ? 4 : 0);
      if (rest.length < start + length) return;
      const payload = Buffer.from(rest.subarray(start, start + length));
      if (isMasked) for (let index = 0; index < length; index++) payload[index] ^= rest[at + (index % 4)];
      const seen = { opcode: rest[0] & 0x0f, fin: (rest[0] & 0x80) !== 0, rsv1: (rest[0] & 0x40) !== 0, isMasked, payload };
      rest = rest.subarray(start + length);
      onFrame(seen);
    }
  });
}

/** A client of ours, closed with the file. */
function connectTo(url, options = {}) {
  const { protocols, ...rest } = options;
  const ws = new WebSocket(url, protocols, { reconnect: SOON, ...rest });
  clients.add(ws);
  return ws;
}

const TOLD = ['open', 'disconnect', 'reconnecting', 'reconnect', 'error', 'close'];

/** Everything that it tells from now on, in order: `[name, ...arguments]`. */
function record(ws, names = TOLD) {
  const told = [];
  for (const name of names) ws.on(name, (...args) => told.push([name, ...args]));
  return told;
}

/** The next messages, as text or buffers. */
function messages(ws, count) {
  return new Promise((resolve) => {
    const got = [];
    ws.on('message', function take(data, isBinary) {
      got.push(isBinary ? data : data.toString());
      if (got.length < count) return;
      ws.off('message', take);
      resolve(got);
    });
  });
}

/** How it ends: `{ code, reason, fault, error }`. */
function ended(ws) {
  return new Promise((resolve) => {
    let error;
    ws.once('error', (given) => {
      error = given;
    });
    ws.once('close', (code, reason, fault) => resolve({ code, reason: reason.toString(), fault, error }));
  });
}

async function closeWebSockets() {
  for (const ws of clients) ws.on('error', () => {}).terminate();
  clients.clear();
  await Promise.all(Array.from(servers, (server) => server.close()));
}

module.exports = {
  SOON, acceptingHeaders, closeWebSockets, closing, connectTo, echoing, ended, frame, messages, readFrames, record, serve, serveRaw,
};

'use strict';

/**
 * A server that fails on purpose, for real: it speaks HTTP by hand on plain sockets, so that what ends a
 * connection (RST, FIN, silence) is exactly what the path of the request asks for.
 */

const net = require('node:net');
const tls = require('node:tls');
const { once } = require('node:events');

const PART = 'partial';

/**
 * What the server does once the head of a request has arrived, by path. Where a connection is to break inside a
 * response, it breaks on `hold`: when the client has told with a request for `/head-seen` that it has the head.
 */
const BEHAVIOURS = {
  '/rst-before': (socket) => socket.resetAndDestroy(),
  '/fin-before': (socket) => socket.end(),
  '/rst-body': (socket, hold) => beginBody(socket, () => hold(() => socket.resetAndDestroy())),
  '/fin-body': (socket, hold) => beginBody(socket, () => hold(() => socket.end())),
  '/fin-last-body': (socket) => socket.end(`HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n${PART}`),
  '/rst-with-body': (socket) => beginBody(socket, () => socket.resetAndDestroy()),
  '/fin-chunked': (socket) => {
    socket.end(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${PART.length}\r\n${PART}\r\n`);
  },
  '/stall-before': () => {},
  '/stall-body': (socket) => beginBody(socket, () => {}),
  '/not-http': (socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'),
  '/redirect-loop': (socket) => respond(socket, '302 Found', '', 'Location: /redirect-loop\r\n'),
  '/status/404': (socket) => respond(socket, '404 Not Found', 'no'),
  '/status/429': (socket) => respond(socket, '429 Too Many Requests', 'no', 'Retry-After: 7\r\n'),
  '/status/500': (socket) => respond(socket, '500 Internal Server Error', 'no'),
  '/status/503': (socket) => respond(socket, '503 Service Unavailable', 'no', 'Retry-After: 2\r\n'),
};

function respond(socket, status, body, headers = '') {
  const length = Buffer.byteLength(body);
  socket.end(`HTTP/1.1 ${status}\r\nContent-Length: ${length}\r\nConnection: close\r\n${headers}\r\n${body}`);
}

/** Sends a head and the first bytes of a longer body. */
function beginBody(socket, then) {
  socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n${PART}`, then);
}

/**
 * @param {import('node:tls').TlsOptions} [secure] certificate and key, for a server that speaks TLS
 * @returns {Promise<{ url: string, port: number, close(): Promise<void> }>}
 */
async function startFaultyServer(secure) {
  const sockets = new Set();
  const held = [];
  const server = secure ? tls.createServer(secure, serve) : net.createServer(serve);
  // A client that rejects the certificate ends the handshake: expected here.
  server.on('tlsClientError', () => {});

  function serve(socket) {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // The client resets too, when it aborts or gives up: expected here.
    socket.on('error', () => {});
    let head = '';
    socket.on('data', (chunk) => {
      if (head.includes('\r\n\r\n')) return;
      head += chunk.toString('latin1');
      if (!head.includes('\r\n\r\n')) return;
      const path = head.split(' ')[1];
      if (path === '/head-seen') {
        for (const release of held.splice(0)) release();
        respond(socket, '204 No Content', '');
      } else {
        BEHAVIOURS[path](socket, (release) => held.push(release));
      }
    });
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  return {
    url: `${secure ? 'https' : 'http'}://127.0.0.1:${port}`,
    port,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** An address where nothing listens: a port that the system has just given out and taken back. */
async function refusedPort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

module.exports = { startFaultyServer, refusedPort };

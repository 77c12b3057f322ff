'use strict';

/**
 * An HTTP server for tests of clients: it keeps what every request brought, answers as the test says, and tells
 * when a request has arrived or its connection has ended, so that no test has to sleep.
 */

const http = require('node:http');
const https = require('node:https');
const { once, EventEmitter } = require('node:events');

/** @type {Set<http.Server>} */
const running = new Set();

/**
 * @typedef {object} Received
 * @property {number} index of the request at this server, from 0
 * @property {number} onConnection how many requests its connection has carried, this one included
 * @property {string} method
 * @property {string} path
 * @property {http.IncomingHttpHeaders} headers
 * @property {string[]} rawHeaders
 * @property {Buffer} body what has arrived of it
 * @property {boolean} complete whether all of the body has arrived
 * @property {http.IncomingMessage} incoming
 * @property {Promise<void>} closed resolves when its connection has ended
 */

/**
 * @param {(request: Received, response: http.ServerResponse) => unknown} answer
 * @param {object} [options]
 * @param {boolean} [options.readBody] `false`: the answer is asked for as soon as the head is there
 * @param {import('node:tls').TlsOptions} [options.tls] certificate and key, for https
 * @param {number} [options.port]
 * @returns {Promise<{ url: string, port: number, requests: Received[], connections(): number,
 *   received(index: number): Promise<Received>, close(): Promise<void> }>}
 */
async function startOrigin(answer, { readBody = true, tls, port = 0 } = {}) {
  const requests = [];
  const arrivals = new EventEmitter().setMaxListeners(0);
  /** @type {WeakMap<import('node:net').Socket, { requests: number, closed: Promise<void> }>} */
  const carried = new WeakMap();
  let connections = 0;
  const server = tls === undefined ? http.createServer() : https.createServer(tls);
  // Clients that reset connections or refuse certificates are what the tests are about.
  server.on('tlsClientError', () => {});
  server.on('clientError', (error, socket) => socket.destroy());
  server.on('connection', () => {
    connections += 1;
  });

  server.on('request', async (incoming, response) => {
    incoming.on('error', () => {});
    response.on('error', () => {});
    const connection = carried.get(incoming.socket) ?? { requests: 0, closed: closing(incoming.socket) };
    connection.requests += 1;
    carried.set(incoming.socket, connection);
    const request = {
      index: requests.length,
      onConnection: connection.requests,
      method: incoming.method,
      path: incoming.url,
      headers: incoming.headers,
      rawHeaders: incoming.rawHeaders,
      body: Buffer.alloc(0),
      complete: false,
      incoming,
      closed: connection.closed,
    };
    requests.push(request);
    arrivals.emit('request');
    if (readBody && !(await readInto(request))) return;
    await answer(request, response);
  });

  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  running.add(server);
  const listening = server.address().port;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${listening}`,
    port: listening,
    requests,
    connections: () => connections,
    async received(index) {
      while (requests.length <= index) await once(arrivals, 'request');
      return requests[index];
    },
    close: () => stop(server),
  };
}

/** Not `once`, which takes the RST of a client that leaves for a failure. */
function closing(socket) {
  return new Promise((resolve) => {
    socket.once('close', () => resolve());
  });
}

/** @returns {Promise<boolean>} whether all of the body arrived */
async function readInto(request) {
  const chunks = [];
  try {
    for await (const chunk of request.incoming) {
      chunks.push(chunk);
    }
    request.complete = true;
  } catch {
    // The client went away before its body had ended.
  }
  request.body = Buffer.concat(chunks);
  return request.complete;
}

/** Ends every server that this test file has started. */
async function closeOrigins() {
  await Promise.all([...running].map(stop));
}

async function stop(server) {
  if (!running.delete(server)) return;
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}

module.exports = { startOrigin, closeOrigins, readInto };

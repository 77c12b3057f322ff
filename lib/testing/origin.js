'use strict';

/**
 * An HTTP server for tests of clients: it keeps what every request brought, answers as the test says, and tells
 * when a request has arrived or its connection has ended, so that no test has to sleep.
 */

const http = require('node:http');
const https = require('node:https');
const { once, EventEmitter } = require('node:events');

const { checkBoolean, checkFunction, checkNumber, checkOptions } = require('../validate');
const { ok } = require('./answers');
const { opened } = require('./open');

const ORIGIN_OPTIONS = ['readBody', 'tls', 'port'];

/**
 * @param {import('../../testing').Answer} [answer]
 * @param {import('../../testing').OriginOptions} [options]
 * @returns {Promise<import('../../testing').Origin>}
 */
async function startOrigin(answer = ok, options = {}) {
  checkFunction(answer, 'answer');
  const { readBody = true, tls, port = 0 } = checkOptions(options, 'options', ORIGIN_OPTIONS);
  checkBoolean(readBody, 'readBody');
  checkNumber(port, 'port', { max: 65_535, integer: true });

  const requests = [];
  const arrivals = new EventEmitter().setMaxListeners(0);
  /** @type {WeakMap<import('node:net').Socket, { requests: number, closed: Promise<void> }>} */
  const carried = new WeakMap();
  let connections = 0;
  /** @type {Set<import('node:net').Socket>} */
  const open = new Set();
  const server = tls === undefined ? http.createServer() : https.createServer(tls);
  // Clients that reset connections or refuse certificates are what the tests are about.
  server.on('clientError', (error, socket) => socket.destroy());
  server.on('connection', (socket) => {
    connections += 1;
    open.add(socket);
    socket.on('close', () => open.delete(socket));
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
    try {
      await answer(request, response);
    } catch (error) {
      // Or the client would wait until the test times out. The rejection, which nobody handles, fails the test.
      incoming.socket.destroy();
      throw error;
    }
  });

  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const listening = server.address().port;
  const origin = {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${listening}`,
    port: listening,
    requests,
    connections: () => connections,
    async received(index) {
      while (requests.length <= index) await once(arrivals, 'request');
      return requests[index];
    },
  };
  return opened(origin, () => stop(server, open));
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

async function stop(server, open) {
  // Not closeAllConnections(): it passes over connections whose TLS has not begun.
  for (const socket of open) socket.destroy();
  server.close();
  await once(server, 'close');
}

module.exports = { ORIGIN_OPTIONS, startOrigin, readInto };

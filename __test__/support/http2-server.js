'use strict';

/** Node's own HTTP/2 server, over TLS and with HTTP/1.1 beside it, and clients that trust it. */

const http2 = require('node:http2');
const { EventEmitter, once } = require('node:events');

const { createFetch } = require('../..');
const { makeCertificate } = require('./certificates');

/** @type {(() => Promise<void>)[]} */
const closing = [];

/**
 * @callback OnStream
 * @param {import('node:http2').ServerHttp2Stream} stream
 * @param {import('node:http2').IncomingHttpHeaders} headers
 * @param {number} session the number of its session, from 0
 */

/**
 * @param {OnStream} onStream
 * @param {object} [options]
 * @param {import('node:http2').Settings} [options.settings]
 * @param {import('node:http').RequestListener} [options.onRequest] answers what comes over HTTP/1.1
 */
async function startHttp2Server(onStream, { settings, onRequest } = {}) {
  const { key, cert } = await makeCertificate();
  const server = http2.createSecureServer({ key, cert, allowHTTP1: true, settings });
  /** @type {import('node:http2').ServerHttp2Session[]} */
  const sessions = [];
  /** @type {import('node:tls').TLSSocket[]} */
  const sockets = [];
  /** What lies below them. @type {import('node:net').Socket[]} */
  const connections = [];
  /** The heads of all requests, in the order in which they came. */
  const seen = [];
  const events = new EventEmitter().setMaxListeners(0);
  server.on('connection', (connection) => connections.push(connection.on('error', () => {})));
  server.on('secureConnection', (socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
  });
  server.on('sessionError', () => {});
  server.on('session', (session) => sessions.push(session));
  server.on('stream', (stream, headers) => {
    // What it ends with is seen where it matters.
    stream.on('error', () => {});
    const session = sessions.indexOf(stream.session);
    seen.push({ session, id: stream.id, method: headers[':method'], path: headers[':path'] });
    onStream(stream, headers, session);
    events.emit('stream');
  });
  // Node makes a request and a response of each stream as well then, which would send trailers of their own.
  if (onRequest !== undefined) {
    server.on('request', (request, response) => {
      if (request.httpVersionMajor === 1) onRequest(request, response);
    });
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const clients = [];
  closing.push(async () => {
    await Promise.all(clients.map((client) => client.destroy()));
    for (const connection of connections) connection.destroy();
    server.close();
    await once(server, 'close');
  });
  return {
    url: `https://127.0.0.1:${server.address().port}`,
    sockets,
    connections,
    seen,
    /** Resolves when so many requests have come in all. */
    async came(count) {
      while (seen.length < count) await once(events, 'stream');
    },
    /** A fetch of its own that trusts the server. */
    client(options) {
      const client = createFetch({ tls: { ca: cert }, ...options });
      clients.push(client);
      return client;
    },
  };
}

async function closeHttp2Servers() {
  await Promise.all(closing.splice(0).map((close) => close()));
}

/** Answers with what it is sent. @type {OnStream} */
function echo(stream) {
  stream.respond();
  stream.pipe(stream);
}

/** Answers each stream of a session in turn; the last answer is for all that follow. @returns {OnStream} */
function inTurn(...answers) {
  let next = 0;
  return (...stream) => answers[Math.min(next++, answers.length - 1)](...stream);
}

/** Ends the stream with an error code. @returns {OnStream} */
const resetWith = (code) => (stream) => stream.close(code);

module.exports = { startHttp2Server, closeHttp2Servers, echo, inTurn, resetWith };

'use strict';

/**
 * The servers, in a process of their own: one in the clear, one with TLS, one that speaks HTTP/2, a fault proxy before the
 * first, and a port that refuses. The parent asks by message; see `lib/origin.js`.
 */

const http = require('node:http');
const http2 = require('node:http2');
const https = require('node:https');
const { once } = require('node:events');

const { FaultProxy, refusedPort } = require('../../testing');
const { answer } = require('./lib/answers');

/** What of the exchanges through the proxy is reset inside the body. */
const PROXY_RESETS = 0.3;

async function start({ seed, tls }) {
  const plain = await listen(http.createServer());
  const secure = await listen(https.createServer(tls));
  const multiplexed = await listen(http2.createSecureServer(tls));
  const proxy = await FaultProxy.listen({ upstream: plain.address().port, seed });
  proxy.add({ type: 'reset', on: 'response-body', afterBytes: 30_000, probability: PROXY_RESETS });
  const servers = [plain, secure, multiplexed];

  process.on('message', async (question) => {
    if (question === 'connections') process.send(await connections(servers) + proxy.stats().connections.open);
    else if (question === 'close idle connections') servers.forEach(closeIdleConnections);
  });
  // Whoever started this has gone: nobody needs it any more.
  process.on('disconnect', () => process.exit());
  process.send({
    plain: `http://127.0.0.1:${plain.address().port}`,
    secure: `https://127.0.0.1:${secure.address().port}`,
    multiplexed: `https://127.0.0.1:${multiplexed.address().port}`,
    proxied: `http://${proxy.address}`,
    refusing: `http://127.0.0.1:${await refusedPort()}`,
  });
}

/** Node's own defaults, a hint of 5 s among them. */
async function listen(server) {
  /** Of TLS connections: only the TCP connection below can be reset. */
  const transports = new Map();
  server.on('connection', (socket) => {
    if (socket.encrypted) return;
    const { remotePort } = socket;
    transports.set(remotePort, socket);
    socket.on('close', () => {
      // The port may be another connection's by now.
      if (transports.get(remotePort) === socket) transports.delete(remotePort);
    });
    // A client that leaves without a word is what this is about.
    socket.on('error', () => {});
  });
  server.on('tlsClientError', () => {});
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session)).on('error', () => {});
  });
  server.on('clientError', (error, socket) => socket.destroy());
  server.on('request', (request, response) => {
    request.on('error', () => {});
    response.on('error', () => {});
    answer(request, response, transports.get(request.socket.remotePort));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** @type {Set<http2.ServerHttp2Session>} */
const sessions = new Set();

function closeIdleConnections(server) {
  server.closeIdleConnections();
  // The above knows nothing of those of HTTP/2.
  for (const session of sessions) session.close();
}

async function connections(servers) {
  const counts = await Promise.all(servers.map((server) => new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  })));
  return counts.reduce((sum, count) => sum + count, 0);
}

process.once('message', start);

'use strict';

/** Servers that close connections which have idled, 20 ms away. */

const { FaultProxy, startOrigin } = require('../../testing');

/**
 * One way, in ms. On a bare loopback a request can cross the FIN for microseconds only, and a test of that race would
 * nearly always pass.
 */
const LATENCY = 20;

/**
 * @param {number} idle ms from its answer until the server closes the connection
 * @param {number} [hint] s that it announces by `Keep-Alive: timeout=N`; nothing by default
 * @returns {Promise<{ url: string, posts: Map<string, number>, proxy: FaultProxy }>} `posts`: how often each path arrived
 */
async function startIdleClosingOrigin(idle, hint) {
  const posts = new Map();
  const origin = await startOrigin((request, response) => {
    posts.set(request.path, (posts.get(request.path) ?? 0) + 1);
    stating(hint)(request, response);
    // After Node's own timer has been set, which rings up to 1 s later than it says.
    response.on('finish', () => request.incoming.socket.setTimeout(idle));
  });
  const proxy = await FaultProxy.listen({ upstream: origin.port });
  proxy.add({ type: 'latency', on: 'request', ms: LATENCY });
  proxy.add({ type: 'latency', on: 'response', ms: LATENCY });
  return { url: proxy.url('/'), posts, proxy };
}

/** 200 that says for how many s the connection will be kept, or, unlike Node's servers, nothing about it. */
const stating = (hint) => (request, response) => {
  response.setHeader('connection', 'keep-alive');
  if (hint !== undefined) response.setHeader('keep-alive', `timeout=${hint}`);
  response.end('ok');
};

module.exports = { startIdleClosingOrigin, stating };

'use strict';

/** A server that fails in every way at once: what ends a connection is what the path of the request asks for. */

const { fin, partial, raw, reply, rst, silence, startOrigin } = require('../../testing');

const last = { connection: 'close' };

/**
 * What the server does, by path. Where a connection is to break inside a response, it breaks on `hold`: when the client
 * has told with a request for `/head-seen` that it has the head.
 */
const behaviours = (hold) => ({
  '/rst-before': rst,
  '/fin-before': fin,
  '/rst-body': partial(hold(rst)),
  '/fin-body': partial(hold(fin)),
  '/fin-last-body': raw('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nConnection: close\r\n\r\npartial'),
  '/rst-with-body': partial(rst),
  '/fin-chunked': raw('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\npartial\r\n'),
  '/stall-before': silence,
  '/stall-body': partial(silence),
  '/not-http': raw('SSH-2.0-OpenSSH_9.2\r\n'),
  '/redirect-loop': reply(302, { location: '/redirect-loop', ...last }, ''),
  '/status/404': reply(404, last),
  '/status/429': reply(429, { 'retry-after': '7', ...last }),
  '/status/500': reply(500, last),
  '/status/503': reply(503, { 'retry-after': '2', ...last }),
});

/**
 * @param {import('node:tls').TlsOptions} [tls] certificate and key, for a server that speaks TLS
 * @returns {Promise<import('../../testing').Origin>}
 */
function startFaultyServer(tls) {
  const held = [];
  const answers = {
    ...behaviours((then) => (request, response) => held.push(() => then(request, response))),
    '/head-seen'(request, response) {
      for (const release of held.splice(0)) release();
      reply(204, last, '')(request, response);
    },
  };
  const options = { readBody: false, ...(tls && { tls }) };
  return startOrigin((request, response) => answers[request.path](request, response), options);
}

module.exports = { startFaultyServer };

'use strict';

/** The bytes of the head, and what the caller reads of it. */

const { ok, record } = require('../record');

const answer = (socket) => socket.write(ok());

/** Sends a request made from these options, after `prepare`; compares what the caller can read of its headers. */
function head(name, options, prepare = () => {}) {
  return {
    name,
    answer,
    async run(http, { port, host, agent }) {
      const request = http.request({ port, host, agent, ...options });
      const { closed } = record(request);
      request.on('response', (response) => response.resume());
      const returned = prepare(request);
      const before = told(request);
      request.end();
      const after = told(request);
      await closed;
      return { before, after, returnsItself: returned === request, returned: returned === request ? undefined : returned };
    },
  };
}

function told(request) {
  return {
    headers: { ...request.getHeaders() },
    names: request.getHeaderNames(),
    raw: request.getRawHeaderNames(),
    host: request.getHeader('HOST') !== undefined,
    hasX: request.hasHeader('X-a'),
    sent: request.headersSent,
  };
}

module.exports = [
  head('the case and the order of names', { headers: { 'X-Zed': '1', accept: '*/*', 'X-A': '2' } }),
  head('several values', { headers: { 'X-A': ['1', '2'], Cookie: ['a=1', 'b=2'] } }),
  head('an array of headers', { headers: ['Host', 'here', 'X-A', '1', 'x-a', '2'] }),
  head('pairs of headers', { headers: [['Host', 'here'], ['X-A', '1']] }),
  head('setHost: false', { setHost: false }),
  head('auth', { auth: 'me:secret' }),
  head('setHeader', {}, (request) => request.setHeader('X-A', 'later')),
  head('setHeader over an option', { headers: { 'x-a': '1', b: '2' } }, (request) => request.setHeader('X-A', 'later')),
  head('appendHeader', { headers: { 'x-a': '1' } }, (request) => request.appendHeader('X-A', 'more')),
  head('setHeaders', { headers: { 'x-a': '1' } }, (request) => request.setHeaders(new Map([['X-A', '2'], ['set-cookie', 'a']]))),
  head('removeHeader', { headers: { 'x-a': '1', b: '2' } }, (request) => request.removeHeader('X-A')),
  head('no Host', {}, (request) => request.removeHeader('host')),
  head('no Connection', {}, (request) => request.removeHeader('connection')),
  head('a Connection of its own', { headers: { connection: 'close' } }),
  head('no Content-Length and no chunks', { method: 'POST' }, (request) => {
    request.removeHeader('content-length');
    request.removeHeader('transfer-encoding');
  }),
  head('uniqueHeaders', { headers: { 'X-A': ['1', '2'] }, uniqueHeaders: ['x-a'] }),
  head('a path that was set', {}, (request) => { request.path = '/set'; }),
  head('chunks by default, switched on', {}, (request) => { request.useChunkedEncodingByDefault = true; }),
];

'use strict';

/** Faults, for a request that is not retried. */

const { once } = require('node:events');
const net = require('node:net');

const { ok, readAll, record } = require('../record');

/** A request that meets what this answer does. */
function fault(name, answer, options = {}) {
  return {
    name,
    answer,
    async run(http, { port, host, agent }) {
      const request = http.request({ port, host, agent, ...options });
      const { events, closed } = record(request);
      request.on('response', (response) => readAll(response, events));
      request.end(options.body);
      await closed;
      await new Promise(setImmediate);
      return { events, destroyed: request.destroyed, aborted: request.aborted, closed: request.closed };
    },
  };
}

/** Resets when what was written before has arrived, so that it is read. */
const thenReset = (text) => (socket) => socket.write(text, () => setTimeout(() => socket.resetAndDestroy(), 50));

module.exports = [
  fault('RST', (socket) => socket.resetAndDestroy()),
  fault('FIN', (socket) => socket.end()),
  fault('RST after a POST', (socket) => socket.resetAndDestroy(), { method: 'POST', body: 'x' }),
  fault('503', (socket) => socket.write('HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy')),
  fault('half a head, then FIN', (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-')),
  fault('half a head, then RST', thenReset('HTTP/1.1 200 OK\r\nContent-')),
  fault('half a body, then FIN', (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf')),
  fault('half a body, then RST', thenReset('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf')),
  fault('half a chunk, then FIN', (socket) => socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nhalf')),
  fault('no HTTP', (socket) => socket.end('SSH-2.0-dropbear\r\n')),
  fault('headers that are too long', (socket) => socket.end(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`)),
  fault('a second answer', (socket) => socket.write(ok() + ok())),
  {
    name: 'a port where nothing listens',
    answer: () => {},
    async run(http) {
      const server = net.createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address();
      server.close();
      const request = http.get({ port, host: '127.0.0.1' });
      const { events, closed } = record(request);
      await closed;
      return events.map((event) => String(event).replaceAll(`:${port}`, ':PORT'));
    },
  },
  {
    name: 'a name that does not resolve',
    answer: () => {},
    async run(http) {
      const request = http.get('http://unreset.invalid/');
      const { events, closed } = record(request);
      await closed;
      return events;
    },
  },
];

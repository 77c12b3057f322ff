'use strict';

/** Events of a request that is answered, in their order; and what the answer is. */

const { once } = require('node:events');

const { ok, readAll, record } = require('../record');

const answer = (socket) => socket.write(ok());
const UPGRADE = { headers: { Connection: 'upgrade', Upgrade: 'echo' } };
/** Answers with these bytes. */
const bytes = (text) => (socket) => socket.write(text);

/** A request whose response is read to its end. */
function read(name, options, answering, { unheard, before = () => {} } = {}) {
  return {
    name,
    answer: answering,
    async run(http, { port, host, agent }) {
      const request = http.request({ port, host, agent, ...options });
      const { events, closed } = record(request, unheard);
      const ended = [];
      if (!unheard?.includes('response')) {
        request.on('response', (response) => {
          const { rawHeaders, httpVersion, statusMessage, req } = response;
          events.push(JSON.stringify([rawHeaders, httpVersion, statusMessage, req === request, request.res === response]));
          response.on('end', () => ended.push(response.req === request));
          readAll(response, events);
        });
      }
      before(request, events);
      request.end();
      await closed;
      // What the end of the response brings comes after the close of the request.
      await new Promise(setImmediate);
      const { destroyed, aborted, reusedSocket } = request;
      return { events, ended, destroyed, aborted, reusedSocket };
    },
  };
}

module.exports = [
  read('a GET', {}, answer),
  read('HEAD', { method: 'HEAD' }, bytes('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n')),
  read('204', {}, bytes('HTTP/1.1 204 Nothing\r\n\r\n')),
  read('304', {}, bytes('HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n')),
  read('404', {}, bytes('HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno')),
  read('chunks and trailers', {}, bytes('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n')),
  read('a body until the end of the connection', {}, (socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nok')),
  read('Connection: close', {}, (socket) => socket.end(ok('ok', 'Connection: close\r\n'))),
  read('HTTP/1.0', {}, (socket) => socket.end('HTTP/1.0 200 OK\r\n\r\nok')),
  read('103 before the answer', {}, bytes(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${ok()}`)),
  read('100 and 102 that nobody asked for', {}, bytes(`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n${ok()}`)),
  read('nobody listens to response', {}, answer, { unheard: ['response'] }),
  read('an upgrade', UPGRADE, bytes('HTTP/1.1 101 Now\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\nhead'), {
    before: (request) => request.on('upgrade', (response, socket) => socket.destroy()),
  }),
  read('an upgrade that nobody wants', UPGRADE, bytes('HTTP/1.1 101 Now\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\n'), {
    unheard: ['upgrade'],
  }),
  read('CONNECT', { method: 'CONNECT', path: 'there:443' }, bytes('HTTP/1.1 200 Connected\r\n\r\nhead'), {
    before: (request) => request.on('connect', (response, socket) => socket.destroy()),
  }),
  read('CONNECT that is refused, and nobody listens', { method: 'CONNECT', path: 'there:443' }, bytes('HTTP/1.1 407 No\r\n\r\n'), {
    unheard: ['connect'],
  }),
  read('an option timeout that passes', { timeout: 40 }, (socket) => setTimeout(() => socket.write(ok()), 120)),
  read('setTimeout with a callback', {}, (socket) => setTimeout(() => socket.write(ok()), 120), {
    before: (request, events) => {
      const returned = request.setTimeout(40, () => events.push('timeout callback'));
      events.push(`returns itself ${returned === request}`);
    },
  }),
  read('setNoDelay, setSocketKeepAlive, maxHeadersCount', {}, answer, {
    before: (request, events) => {
      events.push(`returns ${request.setNoDelay(true)} ${request.setSocketKeepAlive(true, 1000)}`);
      request.maxHeadersCount = 10;
    },
  }),
  {
    name: 'Expect: 100-continue',
    answer(socket, head) {
      socket.write('HTTP/1.1 100 Continue\r\n\r\n');
      socket.once('data', () => socket.write(ok(String(head.length > 0))));
    },
    async run(http, { port, host, agent }) {
      const request = http.request({ port, host, agent, method: 'POST', headers: { Expect: '100-continue', 'Content-Length': 4 } });
      const { events, closed } = record(request);
      request.on('continue', () => request.end('body'));
      request.on('response', (response) => readAll(response, events));
      await closed;
      return events;
    },
  },
  {
    name: 'two requests on one connection',
    answer,
    async run(http, { port, host, agent }) {
      const seen = [];
      for (const path of ['/first', '/second']) {
        const request = http.get({ port, host, agent, path });
        const { events, closed } = record(request);
        const [response] = await once(request, 'response');
        await readAll(response, events);
        await closed;
        seen.push({ events, reused: request.reusedSocket, destroyed: request.destroyed });
      }
      return seen;
    },
  },
  {
    name: 'members before, while and after',
    answer,
    async run(http, { port, host, agent }) {
      const members = [
        'aborted', 'destroyed', 'path', 'method', 'host', 'protocol', 'maxHeadersCount', 'reusedSocket', 'writableEnded',
        'writableFinished', 'finished', 'headersSent', 'writableLength', 'writableCorked', 'writableHighWaterMark', 'writableObjectMode',
        'writableNeedDrain', 'writable', 'shouldKeepAlive', 'chunkedEncoding', 'useChunkedEncodingByDefault', 'sendDate', 'timeout',
        'socketPath', 'closed', 'errored', '_ended', '_closed', '_header', '_headerSent', 'upgradeOrConnect', 'strictContentLength',
      ];
      const seen = [];
      const request = http.request({ port, host, agent, path: '/x', timeout: 5_000 });
      const look = (moment) => seen.push([
        moment, ...members.map((member) => `${member} ${request[member]}`),
        `socket ${Boolean(request.socket)} ${request.connection === request.socket}`, `agent ${request.agent === agent}`,
        `res ${Boolean(request.res)}`,
      ]);
      look('made');
      const { closed } = record(request);
      request.on('socket', () => look('socket'));
      request.on('finish', () => look('finish'));
      request.on('response', (response) => {
        look('response');
        response.on('end', () => look('end')).resume();
      });
      request.end();
      look('ended');
      await closed;
      look('closed');
      return { seen, isClientRequest: request instanceof http.ClientRequest, isOutgoing: request instanceof http.OutgoingMessage };
    },
  },
];

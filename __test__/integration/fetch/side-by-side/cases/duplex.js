'use strict';

/** An answer that comes while the request is still being sent: it must arrive, and the rest must be sent. */

const { once } = require('node:events');

const { whole } = require('../run');

const MIB = 1024 * 1024;

/** One piece, and then nothing for ever. */
const stuck = () => new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from('first')) });

/** The answer is complete before the server reads the request; then that is read and thrown away, as a patient server does. */
const early = (name, status, body, headers = {}) => ({
  name: `${status} before ${name} is sent`,
  readBody: false,
  answer(request, response) {
    if (request.path === '/next') {
      response.end(request.method);
      return;
    }
    response.writeHead(status, { 'content-type': 'text/plain', 'content-length': 8, ...headers });
    response.end('too much');
    request.incoming.resume();
  },
  async run(fetch, at) {
    const response = await fetch(at.url, { method: 'POST', body: body(), duplex: 'half' });
    const { status: came, url, redirected, text } = await whole(response);
    return { came, url, redirected, text };
  },
});

module.exports = [
  ...[413, 401, 200].flatMap((status) => [
    early('bytes', status, () => Buffer.alloc(8 * MIB)),
    early('a Blob', status, () => new Blob([Buffer.alloc(8 * MIB)])),
    early('a stream', status, stuck),
  ]),
  early('bytes', 303, () => Buffer.alloc(8 * MIB), { location: '/next' }),
  {
    name: 'a head that comes before the rest of the request is sent, and a body that comes after it',
    readBody: false,
    async answer({ incoming }, response) {
      const received = [];
      incoming.on('data', (chunk) => received.push(chunk));
      await once(incoming, 'data');
      response.writeHead(200, { 'x-a': '1' }).flushHeaders();
      await once(incoming, 'end');
      response.end(Buffer.concat(received));
    },
    async run(fetch, at) {
      let sending;
      const body = new ReadableStream({
        start(controller) {
          sending = controller;
          controller.enqueue(Buffer.from('first '));
        },
      });
      const response = await fetch(at.url, { method: 'POST', body, duplex: 'half' });
      sending.enqueue(Buffer.from('second'));
      sending.close();
      return [response.status, response.headers.get('x-a'), await response.text()];
    },
  },
];

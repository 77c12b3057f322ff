'use strict';

/** A server that answers before it has read the request: the answer must arrive. */

const { whole } = require('../run');

const KIB = 1024;
const MIB = 1024 * KIB;

/** One piece, and then nothing for ever. */
const stuck = () => new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from('first')) });

const early = (name, body, then, more) => ({
  name,
  readBody: false,
  answer(request, response) {
    response.writeHead(413, { 'content-type': 'text/plain', connection: then === undefined ? 'keep-alive' : 'close', 'content-length': 8 });
    response.end('too much');
    then?.(request, response);
  },
  async run(fetch, at) {
    const response = await fetch(at.url, { method: 'POST', body: body(), duplex: 'half' });
    const { status, text } = await whole(response);
    return { status, text };
  },
  ...more,
});

/** The rest of the request is read and thrown away, as a patient server does. */
const drain = (request) => request.incoming.resume();

module.exports = [
  early('to bytes, the connection stays', () => Buffer.alloc(8 * MIB), drain),
  early('to a stream, the connection stays', stuck),
];

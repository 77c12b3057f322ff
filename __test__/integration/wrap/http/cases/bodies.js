'use strict';

/** Bodies: how they are framed, what is told of them, backpressure. */

const { once } = require('node:events');
const { Readable, pipeline } = require('node:stream');

const { ok, readAll, record } = require('../record');

/** Answers when this many bytes of a body, as on the wire, have arrived. */
const after = (bytes) => (socket, head, number, rest) => {
  let left = bytes - rest.length;
  if (left <= 0) socket.write(ok());
  socket.on('data', (chunk) => {
    if (left <= 0) return;
    left -= chunk.length;
    if (left <= 0) socket.write(ok());
  });
};

/** Answers when the last chunk has arrived: releases of Node differ in how they cut chunks. */
const afterChunks = (socket, head, number, rest) => {
  let body = rest;
  const look = () => body.endsWith('\r\n\r\n') && socket.write(ok());
  look();
  socket.on('data', (chunk) => {
    body += chunk.toString('latin1');
    look();
  });
};

/** Answers at once. */
const answer = (socket) => socket.write(ok());

function body(name, options, send, answering = answer) {
  return {
    name,
    answer: answering,
    async run(http, { port, host, agent }) {
      const request = http.request({ port, host, agent, method: 'POST', ...options });
      const { events, closed } = record(request);
      request.on('response', (response) => readAll(response, events));
      const returned = await send(request, events);
      await closed;
      const { writableEnded, writableFinished, finished, writableLength, destroyed, closed: isClosed } = request;
      return { events, returned, writableEnded, writableFinished, finished, writableLength, destroyed, isClosed };
    },
  };
}

const MEBIBYTES = Buffer.alloc(3 * 1024 * 1024, 'm');

module.exports = [
  body('end(text)', {}, (request) => { request.end('hello'); }),
  body('end(buffer)', {}, (request) => { request.end(Buffer.from('hello')); }),
  body('end(text, encoding)', {}, (request) => { request.end('68656c6c6f', 'hex'); }),
  body('end(text, encoding, callback)', {}, (request, events) => { request.end('aGVsbG8=', 'base64', () => events.push('ended')); }),
  body('end(text, callback)', {}, (request, events) => { request.end('hello', () => events.push('ended')); }),
  body('end(callback)', {}, (request, events) => { request.end(() => events.push('ended')); }),
  body('nothing', {}, (request) => { request.end(); }),
  body('a GET with a body', { method: 'GET' }, (request) => { request.end('hello'); }),
  body('write, write, end', {}, (request) => {
    const returned = [request.write('one'), request.write(Buffer.from('two')), request.write('3333', 'hex')];
    request.end();
    return returned;
  }, afterChunks),
  body('write(text, callback)', {}, (request, events) => {
    request.write('one', () => events.push('one is out'));
    request.write('two', 'latin1', () => events.push('two is out'));
    request.end('three', () => events.push('ended'));
  }, afterChunks),
  body('an empty chunk', {}, (request) => {
    request.write('');
    request.end('x');
  }),
  body('a Content-Length of its own', { headers: { 'Content-Length': 6 } }, (request) => {
    request.write('one');
    request.end('two');
  }, after(6)),
  body('flushHeaders', {}, async (request, events) => {
    const answered = once(request, 'response');
    request.flushHeaders();
    events.push(`flushed ${request.headersSent}`);
    await answered;
    request.end('late');
  }),
  body('cork and uncork', {}, (request) => {
    request.cork();
    const corked = request.writableCorked;
    request.write('one');
    request.write('two');
    request.uncork();
    request.end();
    return corked;
  }, afterChunks),
  body('trailers', { headers: { Trailer: 'X-Sum' } }, (request) => {
    request.write('one');
    request.addTrailers({ 'X-Sum': '1' });
    request.end();
  }, afterChunks),
  body('backpressure', {}, async (request, events) => {
    const drained = once(request, 'drain');
    const taken = request.write(MEBIBYTES);
    const needed = request.writableNeedDrain;
    await drained;
    events.push(`drained ${request.writableNeedDrain}`);
    request.end();
    return { taken, needed, mark: request.writableHighWaterMark > 0 };
  }, after(MEBIBYTES.length)),
  body('a stream that is piped', {}, (request) => {
    Readable.from(['one', 'two', 'three']).pipe(request);
  }, afterChunks),
  body('stream.pipeline', {}, (request, events) => {
    pipeline(Readable.from(['one', 'two']), request, (error) => events.push(`pipeline ${error}`));
  }, afterChunks),
  body('an answer while the body is still written', {}, async (request, events) => {
    const answered = once(request, 'response');
    request.write('first');
    await answered;
    events.push(`writes on ${request.write('second')}`);
    request.end();
  }),
];

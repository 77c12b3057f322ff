'use strict';

const { once } = require('node:events');
const { Readable } = require('node:stream');
const { buffer } = require('node:stream/consumers');
const { pipeline } = require('node:stream/promises');
const { createWebSocketStream } = require('../../../websocket');
const { closeWebSockets, connectTo, echoing, ended, serve } = require('../../support/websockets');

afterEach(closeWebSockets);

test('a pipeline there and back', async () => {
  const total = 8 * 1024 * 1024;
  let left = total;
  const server = await serve((socket) => socket.on('message', (data) => {
    socket.send(data);
    left -= data.length;
    if (left === 0) socket.close(1000);
  }));
  const stream = createWebSocketStream(connectTo(server.url));
  const source = Buffer.alloc(total);
  for (let index = 0; index < total; index += 1000) source[index] = index >> 8;
  const back = buffer(stream);
  stream.write(source.subarray(0, 100));
  Readable.from(chunks(source.subarray(100)), { objectMode: false }).pipe(stream, { end: false });
  expect((await back).equals(source)).toBe(true);
});

function* chunks(bytes) {
  for (let at = 0; at < bytes.length; at += 50_000) yield bytes.subarray(at, at + 50_000);
}

test('the end of what is written closes it, when all has left', async () => {
  const got = [];
  const server = await serve((socket) => socket.on('message', (data) => got.push(data.length)));
  const ws = connectTo(server.url);
  const closed = ended(ws);
  const stream = createWebSocketStream(ws);
  stream.resume();
  await pipeline(Readable.from([Buffer.alloc(1_000_000), Buffer.alloc(5)], { objectMode: false }), stream, { end: true });
  expect((await closed).code).toBe(1005);
  expect(got).toEqual([1_000_000, 5]);
});

test('the peer is read as fast as the stream is', async () => {
  const server = await serve((socket) => {
    for (let index = 0; index < 64; index++) socket.send(Buffer.alloc(256 * 1024, index));
    socket.close(1000);
  });
  const ws = connectTo(server.url, { perMessageDeflate: false });
  const stream = createWebSocketStream(ws);
  await once(stream, 'readable');
  expect(ws.isPaused).toBe(true);
  expect((await buffer(stream)).length).toBe(64 * 256 * 1024);
});

test('text is text in object mode', async () => {
  const server = await serve((socket) => {
    socket.send('é');
    socket.send(Buffer.from('b'));
    socket.close(1000);
  });
  const stream = createWebSocketStream(connectTo(server.url), { readableObjectMode: true });
  const got = [];
  for await (const chunk of stream) got.push(chunk);
  expect(got).toEqual(['é', Buffer.from('b')]);
});

test('what is final fails the stream, and what destroys the stream ends it', async () => {
  const server = await serve((socket) => socket.close(1008));
  const closing = createWebSocketStream(connectTo(server.url));
  // In good order, as far as the protocol goes.
  expect((await buffer(closing)).length).toBe(0);
  const nowhere = await serve();
  await nowhere.close();
  const failing = createWebSocketStream(connectTo(nowhere.url, { reconnect: false }));
  expect((await once(failing, 'error'))[0].code).toBe('ECONNREFUSED');

  const good = await echoing();
  const ws = connectTo(good.url);
  const stream = createWebSocketStream(ws);
  await once(ws, 'open');
  stream.destroy(new Error('enough'));
  expect((await once(stream, 'error'))[0].message).toBe('enough');
  expect(ws.readyState).toBe(3);
});

test('a message that does not go fails it', async () => {
  const server = await serve();
  await server.close();
  const stream = createWebSocketStream(connectTo(server.url, { queue: { age: 20 } }));
  stream.write('x');
  expect((await once(stream, 'error'))[0].code).toBe('ERR_WEBSOCKET_MESSAGE_EXPIRED');
});

test('it goes on over a reconnect', async () => {
  const server = await echoing();
  const ws = connectTo(server.url);
  const stream = createWebSocketStream(ws);
  await once(ws, 'open');
  stream.write('a');
  expect(String((await once(stream, 'data'))[0])).toBe('a');
  const again = once(ws, 'reconnect');
  server.resetAll();
  await again;
  stream.write('b');
  expect(String((await once(stream, 'data'))[0])).toBe('b');
});

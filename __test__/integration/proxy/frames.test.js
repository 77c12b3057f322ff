'use strict';

/** The frames of a real WebSocket, those of `ws` at both ends: what each end has of the message that was hit. */

const { once } = require('node:events');
const { randomBytes } = require('node:crypto');
const { WebSocket, WebSocketServer } = require('ws');
const { FaultProxy } = require('../../..');

/** @type {{ close(): unknown }[]} */
let opened = [];

afterEach(async () => {
  const closing = opened.reverse();
  opened = [];
  for (const one of closing) await one.close();
});

/** A server of `ws` behind a proxy; `onConnection` has its end of each WebSocket. */
async function serveBehindProxy(onConnection = () => {}, options = {}) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', ...options });
  await once(server, 'listening');
  server.on('connection', (peer) => {
    peer.on('error', () => {});
    onConnection(peer);
  });
  const proxy = await FaultProxy.listen({ upstream: server.address().port });
  opened.push({ close: () => closeServer(server) }, proxy);
  return { server, proxy };
}

function closeServer(server) {
  for (const peer of server.clients) peer.terminate();
  return new Promise((resolve) => {
    server.close(resolve);
  });
}

async function connect(proxy, options) {
  const client = new WebSocket(`ws://${proxy.address}`, options);
  client.on('error', () => {});
  await once(client, 'open');
  return client;
}

/** What arrives, and how it ends. */
function record(socket) {
  const heard = { messages: [], ended: once(socket, 'close').then(([code]) => code) };
  socket.on('message', (data) => heard.messages.push(data));
  return heard;
}

const SIZES = { 'a short length': 100, 'a length of 16 bits': 60_000, 'a length of 64 bits': 200_000 };

describe.each(Object.entries(SIZES))('a frame with %s', (name, size) => {
  const message = randomBytes(size);

  describe.each([
    ['deflated', true],
    ['plain', false],
  ])('%s', (form, perMessageDeflate) => {
    test('from the client, masked: the server hears of the messages before it, and not of it', async () => {
      let heard;
      const { proxy } = await serveBehindProxy((peer) => (heard = record(peer)), { perMessageDeflate });
      const fault = proxy.add({ type: 'reset', on: 'request-frame', frame: 3, afterBytes: 7 });
      const client = await connect(proxy);
      const { ended } = record(client);
      for (let count = 0; count < 3; count++) client.send(message);
      expect(await ended).toBe(1006);
      expect(await heard.ended).toBe(1006);
      expect(heard.messages.map((data) => data.equals(message))).toEqual([true, true]);
      expect(fault.hits).toBe(1);
    });

    test('from the server: the client has the message after whose last byte it was struck', async () => {
      const { proxy } = await serveBehindProxy(
        (peer) => {
          for (let count = 0; count < 3; count++) peer.send(message);
        },
        { perMessageDeflate },
      );
      proxy.add({ type: 'close', on: 'after-response-frame', frame: 2 });
      const client = new WebSocket(`ws://${proxy.address}`);
      const { ended, messages } = record(client);
      expect(await ended).toBe(1006);
      expect(messages.map((data) => data.equals(message))).toEqual([true, true]);
    });
  });
});

test('a control frame between two fragments is a frame, and the timeline says which is which', async () => {
  let heard;
  const { proxy } = await serveBehindProxy((peer) => (heard = record(peer)));
  proxy.add({ type: 'reset', on: 'request-frame', frame: 4 });
  const client = await connect(proxy, { perMessageDeflate: false });
  client.send('one ', { fin: false });
  client.ping('?');
  client.send('two ', { fin: false });
  client.send('three', { fin: true });
  await once(client, 'close');
  await heard.ended;
  expect(heard.messages).toEqual([]);
  const lines = String(proxy.timeline()).split('\n').map((line) => line.slice(23));
  expect(lines.filter((line) => line.includes('frame'))).toEqual([
    'request: frame 1, text ...',
    'request: frame 2, ping',
    'request: frame 3, continuation ...',
    'request: frame 4, continuation',
    expect.stringMatching(/^STRUCK by fault 1: reset on request-frame, frame 4, after \d+ bytes of the request$/),
  ]);
});

test('a run of frames is one line', async () => {
  const { proxy } = await serveBehindProxy();
  const client = await connect(proxy, { perMessageDeflate: false });
  for (let count = 0; count < 5; count++) client.send(Buffer.alloc(10));
  client.close();
  await once(client, 'close');
  const frames = proxy.timeline().filter(({ event, direction }) => event === 'frames' && direction === 'request');
  const run = { event: 'frames', direction: 'request', fin: true };
  expect(frames).toEqual([
    expect.objectContaining({ ...run, kind: 'binary', frame: 1, frames: 5 }),
    expect.objectContaining({ ...run, kind: 'close', frame: 6, frames: 1 }),
  ]);
  expect(String(proxy.timeline())).toContain('request: frames 1 to 5, binary\n');
});

test('a WebSocket whose last frame is stalled is there again when the stall is removed', async () => {
  const { proxy } = await serveBehindProxy((peer) => peer.send('hello'));
  const stall = proxy.add({ type: 'stall', on: 'response-frame', afterBytes: 1 });
  const client = new WebSocket(`ws://${proxy.address}`);
  await once(client, 'open');
  const message = once(client, 'message');
  while (stall.hits === 0) await new Promise(setImmediate);
  stall.remove();
  expect(String((await message)[0])).toBe('hello');
  client.terminate();
});

'use strict';

const { once } = require('node:events');
const { connectTo, closeSockets } = require('../../support/sockets');
const { listen, closeTcp } = require('../../support/tcp');

afterEach(async () => {
  closeSockets();
  await closeTcp();
});

/** Different at each place, so that a block that comes twice, or too late, is seen. */
function numbered(length) {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at += 4) bytes.writeUInt32LE(at, at);
  return bytes;
}

/** More than V8 lets young buffers come to before it collects them. */
const LONG = 96 << 20;

test('what streams in stays what it is for who keeps it, while memory goes round for everybody else', async () => {
  const content = numbered(LONG);
  const server = await listen((socket) => socket.write(content));
  const client = connectTo(server.port);
  const kept = [];
  let at = 0;
  let wrong = 0;
  await new Promise((resolve) => {
    client.on('data', (chunk) => {
      if (content.compare(chunk, 0, chunk.length, at, at + chunk.length) !== 0) wrong += 1;
      if (kept.length < 64) kept.push([at, chunk]);
      at += chunk.length;
      if (at === LONG) resolve();
    });
  });
  expect(wrong).toBe(0);
  expect(kept.filter(([from, chunk]) => content.compare(chunk, 0, chunk.length, from, from + chunk.length) !== 0)).toEqual([]);
  expect(client.bytesRead).toBe(LONG);
});

test('large and small writes arrive as one stream, whichever way each goes', async () => {
  const content = numbered(8 << 20);
  const server = await listen();
  const client = connectTo(server.port);
  const peer = await server.connection(0);
  let at = 0;
  // Sizes on both sides of every bound that memory and direct writes have.
  for (const length of [1, 64, 8191, 8192, 8193, 16384, 40_000, 65_536, 65_537, 131_072, 131_073, 1 << 20]) {
    for (let times = 0; times < 3; times++) {
      const chunk = Buffer.from(content.subarray(at, at + length));
      at += length;
      const taken = client.write(chunk);
      // It is the caller's again.
      if (taken) await new Promise(setImmediate);
      else await once(client, 'drain');
      chunk.fill(0);
    }
  }
  const arrived = await peer.bytes(at);
  expect(arrived.equals(content.subarray(0, at))).toBe(true);
});

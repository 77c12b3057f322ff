'use strict';

const { createHash } = require('node:crypto');

const { fetch } = require('../../..');
const { FaultProxy, closeAll, startOrigin } = require('../../../testing');

const MIB = 1024 * 1024;
const SIZE = 64 * MIB;
/** Every connection is reset after so many bytes. */
const RESET_AFTER = 5 * MIB;

// A global of Jest's realm is slow to reach, once for every four bytes.
const { imul } = Math;

afterEach(closeAll);

/** The bytes of the file at `offset`: no two places look alike, and none has to be kept. */
function bytesAt(offset, length) {
  const words = new Uint32Array(length / 4);
  for (let index = 0; index < words.length; index += 1) words[index] = imul(offset / 4 + index, 0x9e3779b1);
  return Buffer.from(words.buffer);
}

/** Sends the file from where the request asks, at the pace at which it is taken. */
async function sendFile(request, response) {
  const asked = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
  const first = asked === null ? 0 : Number(asked[1]);
  response.writeHead(asked === null ? 200 : 206, {
    'content-length': SIZE - first,
    etag: '"64-mib"',
    ...(asked !== null && { 'content-range': `bytes ${first}-${SIZE - 1}/${SIZE}` }),
  });
  let taken = () => {};
  for (const event of ['drain', 'close']) response.on(event, () => taken());
  // Pieces begin at multiples of four, wherever the part begins.
  for (let offset = first - (first % 4); offset < SIZE; offset += MIB) {
    const piece = bytesAt(offset, Math.min(MIB, SIZE - offset)).subarray(Math.max(0, first - offset));
    if (response.destroyed) return;
    if (response.write(piece)) continue;
    await new Promise((resolve) => {
      taken = resolve;
    });
  }
  response.end();
}

test('a large body arrives whole through resets, and next to nothing of it twice', async () => {
  const origin = await startOrigin(sendFile);
  const proxy = await FaultProxy.listen({ upstream: origin.port });
  const fault = proxy.add({ type: 'reset', on: 'response', afterBytes: RESET_AFTER });

  const response = await fetch(proxy.url('/large'), { retry: { retries: 1, backoff: { base: 1 } } });
  const actual = createHash('sha256');
  let length = 0;
  for await (const chunk of response.body) {
    actual.update(chunk);
    length += chunk.length;
  }

  const expected = createHash('sha256');
  for (let offset = 0; offset < SIZE; offset += MIB) expected.update(bytesAt(offset, MIB));
  expect(length).toBe(SIZE);
  expect(actual.digest('hex')).toBe(expected.digest('hex'));
  expect(fault.hits).toBeGreaterThanOrEqual(SIZE / RESET_AFTER - 1);
  expect(response.recovery.resumed).toBe(fault.hits);
  expect(response.recovery.bytesRefetched).toBeLessThanOrEqual(SIZE / 100);
});

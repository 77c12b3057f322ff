'use strict';

/** 1 GiB through a proxy that resets it at random places: whole, at once, and next to nothing of it twice. */

const { createHash } = require('node:crypto');
const { pipeline } = require('node:stream/promises');
const { Writable } = require('node:stream');

const { FaultProxy, download, resumable } = require('../../..');
const { closeAll } = require('../../../testing');
const { serveLargeFile, digestOfLargeFile, MIB } = require('../../support/large-file');

jest.setTimeout(600_000);
afterEach(closeAll);

/** Offsets at which connections are reset, by a generator with a seed: what fails is met again. */
function* random(seed) {
  for (let state = seed; ;) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    yield state / 2 ** 32;
  }
}

/** Each connection is reset after between 1 and 32 MiB of its response. */
async function resettingProxy(port, seed) {
  const proxy = await FaultProxy.listen({ upstream: port });
  const chance = random(seed);
  let fault;
  let hits = 0;
  const arm = () => {
    hits += fault?.hits ?? 0;
    fault?.remove();
    fault = proxy.add({ type: 'reset', on: 'response', afterBytes: Math.floor((1 + chance.next().value * 31) * MIB), times: 1 });
  };
  arm();
  return { proxy, arm, hits: () => hits + fault.hits };
}

async function hashed(stream) {
  const hash = createHash('sha256');
  const sink = new Writable({
    write(chunk, encoding, callback) {
      hash.update(chunk);
      callback();
    },
  });
  await pipeline(stream, sink);
  return hash.digest('base64');
}

test('download: 1 GiB', async () => {
  const size = 1024 * MIB;
  const origin = await serveLargeFile(size);
  const { proxy, arm, hits } = await resettingProxy(origin.port, 4711);
  const stream = download(proxy.url('/large'), { retry: { retries: 1, backoff: { base: 1 } } });
  const offsets = [];
  stream.on('resume', ({ offset }) => {
    offsets.push(offset);
    arm();
  });
  expect(await hashed(stream)).toBe(digestOfLargeFile(size));
  expect(stream.bytes).toBe(size);
  expect(hits()).toBeGreaterThan(size / (33 * MIB) - 1);
  expect(offsets).toHaveLength(hits());
  expect(offsets).toEqual(offsets.toSorted((one, other) => one - other));
  expect(stream.recovery.resumed).toBe(hits());
  expect(stream.recovery.bytesRefetched).toBeLessThanOrEqual(size / 100);
});

test('resumable: 128 MiB over http.get', async () => {
  const http = require('node:http');
  const size = 128 * MIB;
  const origin = await serveLargeFile(size);
  const { proxy, arm, hits } = await resettingProxy(origin.port, 42);
  const open = ({ offset, signal }) => new Promise((resolve, reject) => {
    const headers = offset === 0 ? {} : { range: `bytes=${offset}-` };
    http.get(proxy.url('/large'), { headers, signal, agent: false }, (stream) => {
      resolve({ stream, validator: stream.headers.etag, length: size });
    }).on('error', reject);
  });
  const stream = resumable(open, { retry: { retries: 1, backoff: { base: 1 } } }).on('resume', arm);
  expect(await hashed(stream)).toBe(digestOfLargeFile(size));
  expect(hits()).toBeGreaterThan(size / (33 * MIB) - 1);
  expect(stream.recovery).toMatchObject({ resumed: hits(), bytesRefetched: 0 });
});

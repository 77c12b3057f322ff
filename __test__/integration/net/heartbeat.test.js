'use strict';

const path = require('node:path');
const { once } = require('node:events');
const { Worker } = require('node:worker_threads');
const { FaultProxy } = require('../../../testing');
const { connectTo, record, received, closeSockets } = require('../../support/sockets');
const { listen, closeTcp } = require('../../support/tcp');

afterEach(async () => {
  closeSockets();
  await closeTcp();
});

const HEARTBEAT = { send: 'PING\n', expect: 'PONG\n' };

function block(milliseconds) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

test('a blocked event loop neither misses a beat nor causes a false alarm', async () => {
  const worker = new Worker(path.join(__dirname, '..', '..', 'support', 'heartbeat-server.js'));
  try {
    const [port] = await once(worker, 'message');
    const client = connectTo(port, { heartbeat: { interval: 1000, timeout: 3000, ...HEARTBEAT } });
    const told = record(client, ['disconnect', 'reconnecting', 'data']);
    await once(client, 'connect');
    block(5000);
    await new Promise(setImmediate);
    worker.postMessage('beats');
    const [beats] = await once(worker, 'message');
    // One each second on a machine that has nothing else to do. If the loop had to send them there would be none.
    expect(beats.length).toBeGreaterThanOrEqual(3);
    for (const [index, beat] of beats.entries()) {
      if (index > 0) expect(beat - beats[index - 1]).toBeLessThan(3000);
    }
    expect(told).toEqual([]);
    expect(client.stats().generation).toBe(1);
  } finally {
    await worker.terminate();
  }
});

test('a peer that is cut off is found, and come back to', async () => {
  const server = await listen((peer) => peer.socket.on('data', () => peer.socket.write('PONG\n')));
  const proxy = await FaultProxy.listen({ upstream: `127.0.0.1:${server.port}` });
  try {
    // The first answer passes, and then nothing.
    proxy.add({ type: 'blackhole', on: 'response', afterBytes: 5, connections: [1] });
    const client = connectTo(proxy.port, { heartbeat: { interval: 20, timeout: 500, ...HEARTBEAT } });
    // Both may be told in one turn of the event loop.
    const back = once(client, 'reconnect');
    const [{ fault }] = await once(client, 'disconnect');
    expect(fault).toMatchObject({ code: 'ETIMEDOUT', kind: 'timeout', reason: expect.stringContaining('heartbeat') });
    await back;
  } finally {
    await proxy.close();
  }
});

test('without expect whatever comes is a sign of life, and data', async () => {
  const server = await listen((peer) => peer.socket.on('data', (chunk) => peer.socket.write(chunk)));
  const client = connectTo(server.port, { heartbeat: { interval: 10, timeout: 5000, send: Buffer.from('?') } });
  expect(await received(client, 3)).toMatch(/^\?{3,}$/);
});

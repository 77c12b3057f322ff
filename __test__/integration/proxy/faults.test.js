'use strict';

/** What each type of fault does, seen from both ends. */

const { FaultProxy } = require('../../..');
const { closeAll } = require('../../../testing');
const { closeTcp, connect, listen } = require('../../support/tcp');

afterEach(async () => {
  await closeAll();
  await closeTcp();
});

/** Long enough to be told from at once (ms), short enough to wait for. */
const SHORT = 120;

/** A service that sends back what it gets, a client, and the proxy between them with its faults. */
async function through(...faults) {
  const service = await listen((peer) => peer.socket.on('data', (chunk) => peer.socket.write(chunk)));
  const proxy = await FaultProxy.listen({ upstream: service.port });
  const handles = faults.map((fault) => proxy.add(fault));
  return { service, proxy, handles, connect: () => connect(proxy.port) };
}

async function elapsed(work) {
  const began = performance.now();
  await work;
  return performance.now() - began;
}

test('without a fault everything passes, ends included', async () => {
  const { service, connect: open } = await through();
  const client = await open();
  client.socket.end('hello');
  const upstream = await service.connection(0);
  expect(await upstream.ended).toBe('FIN');
  upstream.socket.end();
  expect(await client.ended).toBe('FIN');
  expect(client.received.toString()).toBe('hello');
});

describe('reset', () => {
  test('after exactly so many bytes of the response; the upstream is reset as well', async () => {
    const { service, handles, connect: open } = await through({ type: 'reset', on: 'response', afterBytes: 1000 });
    const client = await open();
    client.socket.write(Buffer.alloc(5000, 'x'));
    expect(await client.ended).toBe('ECONNRESET');
    expect(client.received).toEqual(Buffer.alloc(1000, 'x'));
    expect(await (await service.connection(0)).ended).toBe('ECONNRESET');
    expect(handles[0].hits).toBe(1);
  });

  test('right behind a few bytes: the client reads them, and then the reset', async () => {
    const { connect: open } = await through({ type: 'reset', on: 'response', afterBytes: 20 });
    // libuv makes an orderly end of an RST that waits together with data; it would nearly always here.
    for (let i = 0; i < 5; i++) {
      const client = await open();
      client.socket.write('x'.repeat(50));
      expect(await client.ended).toBe('ECONNRESET');
      expect(client.received).toHaveLength(20);
    }
  });

  test('of a connection on which no byte ever flowed', async () => {
    const { connect: open } = await through({ type: 'reset', on: 'idle', afterMs: SHORT });
    const client = await open();
    const took = await elapsed(client.ended.then((how) => expect(how).toBe('ECONNRESET')));
    expect(took).toBeGreaterThan(SHORT * 0.8);
  });
});

describe('close', () => {
  test('is FIN after exactly so many bytes', async () => {
    const { service, connect: open } = await through({ type: 'close', on: 'response', afterBytes: 10 });
    const client = await open();
    client.socket.write('0123456789abcdef');
    expect(await client.ended).toBe('FIN');
    expect(client.received.toString()).toBe('0123456789');
    client.socket.end();
    await (await service.connection(0)).ended;
  });
});

describe('halfClose', () => {
  test('ends the response; the request goes on', async () => {
    const { service, connect: open } = await through({ type: 'halfClose', on: 'response', afterBytes: 3 });
    const client = await open();
    client.socket.write('abcdef');
    expect(await client.ended).toBe('FIN');
    expect(client.received.toString()).toBe('abc');
    await client.write('more');
    expect((await (await service.connection(0)).bytes(10)).toString()).toBe('abcdefmore');
  });

  test('ends the request; the response goes on', async () => {
    const { service, connect: open } = await through({ type: 'halfClose', on: 'request', afterBytes: 3 });
    const client = await open();
    client.socket.write('abcdef');
    const upstream = await service.connection(0);
    expect(await upstream.ended).toBe('FIN');
    expect(upstream.received.toString()).toBe('abc');
    await upstream.write('!');
    expect((await client.bytes(4)).toString()).toBe('abc!');
  });
});

describe('refuse', () => {
  test('nobody gets in until it is removed; who is in stays', async () => {
    const { proxy, connect: open } = await through();
    const early = await open();
    const handle = proxy.add({ type: 'refuse', on: 'accept' });
    await expect(open()).rejects.toMatchObject({ code: 'ECONNREFUSED', syscall: 'connect' });
    await expect(open()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await early.write('still here');
    expect((await early.bytes(10)).toString()).toBe('still here');
    expect(handle.hits).toBe(1);

    handle.remove();
    const late = await open();
    await late.write('back');
    expect((await late.bytes(4)).toString()).toBe('back');
  });

  test('two of them: the last one removed opens the port', async () => {
    const { proxy, connect: open } = await through();
    const [first, second] = [1, 2].map(() => proxy.add({ type: 'refuse', on: 'accept' }));
    first.remove();
    await expect(open()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    second.remove();
    await open();
  });
});

describe('blackhole', () => {
  test('at accept: the upstream is never contacted, and nothing is answered', async () => {
    const { service, proxy, connect: open } = await through({ type: 'blackhole', on: 'accept', connections: [1] });
    const lost = await open();
    // More than the buffers on the way hold: it is read and discarded.
    await lost.write(Buffer.alloc(8 << 20));
    const other = await open();
    await other.write('x');
    await other.bytes(1);
    expect(service.accepted).toHaveLength(1);
    expect(lost.received).toHaveLength(0);
    expect(proxy.stats().connections.open).toBe(2);
  });

  test('after so many bytes nothing passes in either direction', async () => {
    const { service, handles, connect: open } = await through({ type: 'blackhole', on: 'response', afterBytes: 4, connections: [1] });
    const client = await open();
    await client.write('12345678');
    await client.bytes(4);
    const upstream = await service.connection(0);
    await upstream.bytes(8);
    await client.write(Buffer.alloc(8 << 20));
    expect(upstream.received).toHaveLength(8);
    expect(client.received.toString()).toBe('1234');
    expect(handles[0].hits).toBe(1);
  });
});

describe('stall', () => {
  test('stops the direction, fills the window, and loses nothing when it is removed', async () => {
    const { service, handles, connect: open } = await through({ type: 'stall', on: 'request', afterBytes: 5 });
    const client = await open();
    const all = client.write(Buffer.alloc(32 << 20, 'x'));
    const upstream = await service.connection(0);
    await upstream.bytes(5);
    expect(upstream.received).toHaveLength(5);
    // The other direction goes on.
    await upstream.write('from there');
    await client.bytes(10);
    expect(client.socket.writableLength).toBeGreaterThan(0);
    expect(handles[0].hits).toBe(1);

    handles[0].remove();
    await all;
    expect(await upstream.bytes(32 << 20)).toHaveLength(32 << 20);
  });
});

describe('latency', () => {
  test('delays what passes, and the end as well', async () => {
    const { service, connect: open } = await through({ type: 'latency', on: 'response', ms: SHORT });
    const client = await open();
    expect(await elapsed(client.write('x').then(() => client.bytes(1)))).toBeGreaterThan(SHORT * 0.9);
    const upstream = await service.connection(0);
    upstream.socket.end();
    expect(await elapsed(client.ended)).toBeGreaterThan(SHORT * 0.9);
  });

  test('does not make a large transfer slower than itself', async () => {
    const { connect: open } = await through({ type: 'latency', on: 'response', ms: SHORT });
    const client = await open();
    client.socket.write(Buffer.alloc(1 << 20, 'x'));
    // In pieces of 64 KiB, each delayed in turn, it would last 16 times the delay.
    expect(await elapsed(client.bytes(1 << 20))).toBeLessThan(SHORT * 8);
  });

  test('jitter makes it shorter and longer', async () => {
    const { connect: open } = await through({ type: 'latency', on: 'response', ms: SHORT, jitter: SHORT });
    const times = [];
    const client = await open();
    while (times.length < 12) {
      times.push(await elapsed(client.write('x').then(() => client.bytes(times.length + 1))));
    }
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(SHORT / 4);
    expect(Math.min(...times)).toBeLessThan(SHORT);
  });

  test('at accept the upstream is contacted later', async () => {
    const { service, connect: open } = await through({ type: 'latency', on: 'accept', ms: SHORT });
    const client = await open();
    expect(await elapsed(service.connection(0))).toBeGreaterThan(SHORT * 0.8);
    await client.write('x');
    await client.bytes(1);
  });
});

test('bandwidth: so many bytes per second', async () => {
  const { handles, connect: open } = await through({ type: 'bandwidth', on: 'response', rate: 100_000 });
  const client = await open();
  client.socket.write(Buffer.alloc(50_000));
  const took = await elapsed(client.bytes(50_000));
  expect(took).toBeGreaterThan(300);
  expect(took).toBeLessThan(5_000);
  expect(handles[0].hits).toBe(1);
});

describe('slice', () => {
  test('no write is larger than size', async () => {
    const { service, connect: open } = await through({ type: 'slice', on: 'request', size: 100, ms: 2 });
    const client = await open();
    const sizes = [];
    const upstream = await service.connection(0);
    upstream.socket.on('data', (chunk) => sizes.push(chunk.length));
    client.socket.write(Buffer.alloc(2000));
    await upstream.bytes(2000);
    // Two may arrive as one where the receiver is late.
    expect(sizes.length).toBeGreaterThan(5);
    expect(sizes.reduce((total, size) => total + size)).toBe(2000);
  });

  test('ms is the pause between two writes', async () => {
    const { connect: open } = await through({ type: 'slice', on: 'request', size: 10, ms: 30 });
    const client = await open();
    client.socket.write(Buffer.alloc(50));
    expect(await elapsed(client.bytes(50))).toBeGreaterThan(30 * 4 * 0.9);
  });
});

test('shaping faults combine with each other and with a strike', async () => {
  const { handles, connect: open } = await through(
    { type: 'latency', on: 'response', ms: SHORT },
    { type: 'slice', on: 'response', size: 7 },
    { type: 'reset', on: 'response', afterBytes: 20 },
  );
  const client = await open();
  client.socket.write('x'.repeat(50));
  expect(await elapsed(client.ended)).toBeGreaterThan(SHORT * 0.9);
  expect(await client.ended).toBe('ECONNRESET');
  expect(client.received).toHaveLength(20);
  expect(handles.map(({ hits }) => hits)).toEqual([1, 1, 1]);
});

test('of two strikes the first point reached strikes, and at the same point the one added first', async () => {
  const { handles, connect: open } = await through(
    { type: 'reset', on: 'response', afterBytes: 10 },
    { type: 'close', on: 'response', afterBytes: 5 },
    { type: 'reset', on: 'response', afterBytes: 5 },
  );
  const client = await open();
  client.socket.write('0123456789');
  expect(await client.ended).toBe('FIN');
  expect(client.received.toString()).toBe('01234');
  expect(handles.map(({ hits }) => hits)).toEqual([0, 1, 0]);
});

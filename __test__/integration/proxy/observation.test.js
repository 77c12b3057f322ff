'use strict';

/** What a proxy tells of itself, and what it does to all connections at once. */

const { FaultProxy, fetch } = require('../../..');
const { closeAll, refusedPort, reply, startOrigin } = require('../../../testing');
const { closeTcp, connect, listen } = require('../../support/tcp');

afterEach(async () => {
  await closeAll();
  await closeTcp();
});

async function proxied() {
  const service = await listen((peer) => peer.socket.on('data', (chunk) => peer.socket.write(chunk)));
  return { service, proxy: await FaultProxy.listen({ upstream: service.port }) };
}

test('resetAll: every open connection, idle ones too', async () => {
  const { proxy } = await proxied();
  const clients = await Promise.all(Array.from({ length: 5 }, () => connect(proxy.port)));
  await clients[0].write('x');
  await clients[0].bytes(1);
  expect(proxy.resetAll()).toBe(5);
  expect(await Promise.all(clients.map(({ ended }) => ended))).toEqual(Array(5).fill('ECONNRESET'));
  const late = await connect(proxy.port);
  await late.write('x');
  await late.bytes(1);
});

test('pause and resume: nothing passes, and nothing is lost', async () => {
  const { service, proxy } = await proxied();
  const client = await connect(proxy.port);
  const upstream = await service.connection(0);
  await client.write('a');
  await client.bytes(1);
  proxy.pause();
  expect(proxy.stats().paused).toBe(true);
  const all = client.write(Buffer.alloc(32 << 20, 'x'));
  const late = await connect(proxy.port);
  await late.write('late');
  // A third connection, to another proxy, shows that time has passed in which bytes could have.
  const other = await connect((await FaultProxy.listen({ upstream: service.port })).port);
  await other.write('x');
  await other.bytes(1);
  expect(upstream.received).toHaveLength(1);
  expect(late.received).toHaveLength(0);
  proxy.resume();
  expect(proxy.stats().paused).toBe(false);
  await all;
  await upstream.bytes((32 << 20) + 1);
  expect((await late.bytes(4)).toString()).toBe('late');
});

test('stats count connections, bytes and strikes', async () => {
  const { proxy } = await proxied();
  expect(proxy.stats()).toEqual({
    connections: { accepted: 0, open: 0, upstreamFailed: 0 }, bytes: { request: 0, response: 0 }, strikes: {}, paused: false,
  });
  const client = await connect(proxy.port);
  await client.write('12345');
  await client.bytes(5);
  proxy.add({ type: 'reset', on: 'response', connections: [2] });
  const struck = await connect(proxy.port);
  await struck.write('123');
  await struck.ended;
  expect(proxy.stats()).toMatchObject({
    connections: { accepted: 2, upstreamFailed: 0 }, bytes: { request: 8, response: 5 }, strikes: { reset: 1 },
  });
});

test('an upstream that is down: the client is reset, and the timeline says why', async () => {
  const proxy = await FaultProxy.listen({ upstream: await refusedPort() });
  const client = await connect(proxy.port).catch((error) => ({ ended: error.code }));
  expect(await client.ended).toBe('ECONNRESET');
  expect(proxy.timeline()).toContainEqual(
    expect.objectContaining({ connection: 1, event: 'upstream-failed', code: 'ECONNREFUSED' }),
  );
  expect(proxy.stats().connections).toMatchObject({ accepted: 1, upstreamFailed: 1 });
});

test('an upstream whose name does not resolve', async () => {
  const proxy = await FaultProxy.listen({ upstream: 'unreset.invalid:80' });
  const client = await connect(proxy.port).catch((error) => ({ ended: error.code }));
  expect(await client.ended).toBe('ECONNRESET');
  const [{ code }] = proxy.timeline().filter(({ event }) => event === 'upstream-failed');
  expect(['ENOTFOUND', 'EAI_AGAIN']).toContain(code);
});

describe('the timeline', () => {
  test('tells the story of an exchange', async () => {
    const origin = await startOrigin(reply(200, {}, 'x'.repeat(100)));
    const proxy = await FaultProxy.listen({ upstream: origin.port, seed: 1 });
    const handle = proxy.add({ type: 'reset', on: 'response-body', afterBytes: 10, times: 1, match: { path: '/stock' } });
    await fetch(proxy.url('/stock?x'), { retry: false }).then((response) => response.text()).catch(() => {});
    await proxy.close();

    const entries = proxy.timeline().filter(({ connection }) => connection === 1);
    expect(entries.map(({ event }) => event)).toEqual(expect.arrayContaining(['accept', 'connect', 'exchange', 'answer', 'strike', 'end']));
    const told = Object.fromEntries(entries.map((entry) => [entry.event, entry]));
    expect(told.accept.client).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(told.exchange).toMatchObject({ exchange: 1, method: 'GET', path: '/stock' });
    expect(told.answer).toMatchObject({ exchange: 1, status: 200 });
    expect(told.strike).toMatchObject({ fault: handle.id, type: 'reset', on: 'response-body', exchange: 1, direction: 'response' });
    expect(told.end.by).toBe('strike');
    expect(told.bytes.bytes).toBeGreaterThan(0);
    const times = entries.map(({ at }) => at);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  test('is an array of frozen entries, and text with a line for each', async () => {
    const { proxy } = await proxied();
    const handle = proxy.add({ type: 'close', on: 'request', afterBytes: 2 });
    const client = await connect(proxy.port);
    client.socket.write('abcd');
    await client.ended;
    client.socket.end();
    await proxy.close();

    const timeline = proxy.timeline();
    expect(Array.isArray(timeline)).toBe(true);
    expect(timeline.dropped).toBe(0);
    expect(Object.isFrozen(timeline[0])).toBe(true);
    const lines = String(timeline).split('\n');
    expect(lines).toHaveLength(timeline.length);
    const text = String(timeline.filter(({ connection }) => connection === 1));
    expect(text).toMatch(/^ +\d+\.\d{3} ms {2}#1 {5}accepted 127\.0\.0\.1:\d+\n/);
    expect(text).toContain(`STRUCK by fault ${handle.id}: close on request, after 2 bytes of the request`);
    expect(text).toContain('request: 2 bytes');
    expect(text).toMatch(/ended by strike$/m);
    expect(text).not.toContain('undefined');
  });

  test('keeps the last 10 000 entries, and says how many older ones there were', async () => {
    const { proxy } = await proxied();
    for (let turn = 0; turn < 5050; turn++) {
      proxy.pause();
      proxy.resume();
    }
    const timeline = proxy.timeline();
    expect(timeline).toHaveLength(10_000);
    expect(timeline.dropped).toBe(100);
    const lines = String(timeline).split('\n');
    expect(lines).toHaveLength(10_001);
    expect(lines[0]).toBe('(100 older entries were dropped)');
  });

  test('has its say when the proxy is paused, resumed and refuses', async () => {
    const { proxy } = await proxied();
    proxy.pause();
    proxy.resume();
    proxy.add({ type: 'refuse', on: 'accept' }).remove();
    expect(Array.from(proxy.timeline(), ({ event, connection }) => [event, connection])).toEqual([
      ['pause', 0], ['resume', 0], ['refuse', 0], ['listen', 0],
    ]);
    expect(String(proxy.timeline())).toMatch(/ms {2}proxy {2}paused\n.*resumed\n.*refusing connections\n.*listening again$/);
  });
});

test('a handle shows a copy of its fault that nobody can change', async () => {
  const { proxy } = await proxied();
  const fault = { type: 'reset', on: 'request', connections: [1], match: { path: '/' }, times: undefined };
  const handle = proxy.add(fault);
  fault.connections.push(2);
  expect(handle.fault).toEqual({ type: 'reset', on: 'request', connections: [1], match: { path: '/' } });
  expect(() => handle.fault.connections.push(3)).toThrow(TypeError);
  expect(() => Object.assign(handle.fault, { on: 'idle' })).toThrow(TypeError);
  expect([handle.id, proxy.add({ type: 'reset', on: 'idle', afterMs: 1e6 }).id]).toEqual([1, 2]);
});

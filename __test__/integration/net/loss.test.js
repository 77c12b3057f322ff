'use strict';

const { once } = require('node:events');
const { Socket } = require('../../../net');
const { FaultProxy, openBlackHole, refusedPort } = require('../../../testing');
const { SOON, connectTo, record, received, closed, closeSockets } = require('../../support/sockets');
const { listen, closeTcp } = require('../../support/tcp');

const proxies = [];

afterEach(async () => {
  closeSockets();
  await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
  await closeTcp();
});

function echoing(place) {
  return listen((peer) => peer.socket.on('data', (chunk) => peer.socket.write(chunk)), place);
}

async function proxied(server) {
  const proxy = await FaultProxy.listen({ upstream: `127.0.0.1:${server.port}` });
  proxies.push(proxy);
  return proxy;
}

test('a reset is told, waited out and over: the socket is the same', async () => {
  const server = await echoing();
  const client = connectTo(server.port);
  const told = record(client);
  await once(client, 'connect');
  (await server.connection(0)).socket.resetAndDestroy();
  const [{ attempts, downtime }] = await once(client, 'reconnect');
  expect([attempts, downtime > 0]).toEqual([1, true]);
  expect(told.map(([name]) => name)).toEqual(['connect', 'disconnect', 'reconnecting', 'reconnect']);
  const [, [, lost], [, next]] = told;
  expect(lost).toMatchObject({
    fault: { code: 'ECONNRESET', kind: 'reset', phase: 'idle', ending: 'rst', delivery: 'not-sent', address: '127.0.0.1', port: server.port },
    uptime: expect.any(Number),
  });
  expect([0, 'unknown']).toContain(lost.unacknowledged);
  expect(next).toMatchObject({ attempt: 1, delay: expect.any(Number), fault: lost.fault });
  client.write('again');
  expect(await received(client, 5)).toBe('again');
  expect(client.stats()).toMatchObject({ generation: 2, reconnects: 1, state: 'live' });
});

test('while it is down it says so', async () => {
  const server = await echoing();
  const client = connectTo(server.port);
  await once(client, 'connect');
  const { socket } = await server.connection(0);
  client.once('disconnect', () => {
    expect([client.connecting, client.pending, client.readyState]).toEqual([true, true, 'opening']);
    expect(client.remoteAddress).toBeUndefined();
    expect(client.writable).toBe(true);
  });
  socket.resetAndDestroy();
  await once(client, 'reconnect');
  expect([client.connecting, client.readyState]).toEqual([false, 'open']);
  expect.assertions(4);
});

test('a server that was not there yet is connected to when it comes', async () => {
  const { port } = await echoing();
  await closeTcp();
  const client = connectTo(port);
  const told = record(client);
  const [{ attempt, fault }] = await once(client, 'reconnecting');
  expect([attempt, fault.code, fault.phase]).toEqual([1, 'ECONNREFUSED', 'connect']);
  await echoing({ port });
  await once(client, 'connect');
  expect(told.filter(([name]) => name === 'error' || name === 'disconnect')).toEqual([]);
});

test('a server that restarts on its port is found again', async () => {
  const server = await echoing();
  const client = connectTo(server.port);
  await once(client, 'connect');
  await closeTcp();
  const [{ fault }] = await once(client, 'reconnecting');
  expect(fault.kind).toMatch(/reset|closed/);
  await echoing({ port: server.port });
  await once(client, 'reconnect');
  client.write('there');
  expect(await received(client, 5)).toBe('there');
});

test('it gives up when it is told to, with an error that says what it was', async () => {
  const port = await refusedPort();
  const client = connectTo(port, { reconnect: { ...SOON, retries: 2 } });
  const told = record(client);
  await closed(client);
  expect(told.map(([name]) => name)).toEqual(['reconnecting', 'reconnecting', 'error', 'close']);
  expect(told.at(-2)[1]).toMatchObject({
    name: 'FaultError', code: 'ECONNREFUSED', syscall: 'connect', address: '127.0.0.1', port, phase: 'connect',
    gaveUp: 'attempts-exhausted', attempts: 2,
  });
  expect(told.at(-1)).toEqual(['close', true]);
});

test.each([[false], [0]])('reconnect: %p is a connection as any other', async (reconnect) => {
  const server = await echoing();
  const client = connectTo(server.port, { reconnect });
  await once(client, 'connect');
  (await server.connection(0)).socket.resetAndDestroy();
  const [error] = await once(client, 'error');
  expect(error).toMatchObject({ code: 'ECONNRESET', gaveUp: 'attempts-exhausted' });
});

test('within and onRetry are those of every policy', async () => {
  const port = await refusedPort();
  const onRetry = jest.fn();
  const client = connectTo(port, { reconnect: { ...SOON, within: 60, onRetry } });
  const [error] = await once(client, 'error');
  expect(error).toMatchObject({ code: 'ECONNREFUSED', gaveUp: 'out-of-time' });
  expect(onRetry.mock.calls[0]).toEqual([expect.objectContaining({ attempt: 1, fault: expect.anything() })]);
});

test('a clean end is a loss, unless it is wanted', async () => {
  const server = await listen((peer) => peer.socket.end('answer'));
  const client = connectTo(server.port);
  client.resume();
  const [{ fault }] = await once(client, 'disconnect');
  expect(fault).toMatchObject({ code: 'ERR_SOCKET_CLOSED', kind: 'closed', ending: 'fin' });
  await once(client, 'reconnect');

  const other = connectTo(server.port, { reconnectOnEnd: false });
  const told = record(other);
  expect(await received(other, 6)).toBe('answer');
  await closed(other);
  expect(told.map(([name]) => name)).toEqual(['connect', 'end', 'close']);
});

test('allowHalfOpen leaves the other half to the caller', async () => {
  const server = await listen();
  const client = connectTo(server.port, { reconnectOnEnd: false, allowHalfOpen: true });
  const peer = await server.connection(0);
  peer.socket.end('question');
  client.resume();
  await once(client, 'end');
  expect(client.writable).toBe(true);
  const gone = closed(client);
  client.end('answer');
  expect((await peer.bytes(6)).toString()).toBe('answer');
  await gone;
});

test('connectTimeout ends an attempt at a host that is cut off', async () => {
  const hole = await openBlackHole();
  try {
    const client = connectTo(hole.port, { connectTimeout: 100 });
    const [{ fault }] = await once(client, 'reconnecting');
    expect(fault).toMatchObject({ code: 'ETIMEDOUT', phase: 'connect', delivery: 'not-sent' });
  } finally {
    await hole.close();
  }
});

test.each([
  ['reset', 'accept'],
  ['close', 'accept'],
  ['reset', 'request'],
  ['reset', 'response'],
  ['close', 'response'],
])('%s on %s is survived', async (type, on) => {
  const server = await echoing();
  const proxy = await proxied(server);
  const fault = proxy.add({ type, on, times: 1 });
  const client = connectTo(proxy.port);
  // A connection that is struck at once may never have been one: then the next is the first.
  client.on('connect', () => client.write('over')).on('reconnect', () => client.write('over'));
  let heard = '';
  while (!heard.endsWith('over')) heard += await received(client, 1);
  expect(fault.hits).toBe(1);
});

test('minUptime decides whether a connection has been one', async () => {
  // Not at once: it might be over before it is a connection.
  const server = await listen((peer) => peer.socket.on('data', () => peer.socket.resetAndDestroy()));
  const asking = (options) => {
    const client = connectTo(server.port, { reconnect: { ...SOON, retries: 3 }, ...options });
    const ask = () => client.write('x');
    return client.on('connect', ask).on('reconnect', ask);
  };
  const [error] = await once(asking({}), 'error');
  expect(error).toMatchObject({ gaveUp: 'attempts-exhausted', attempts: 3 });
  const client = asking({ minUptime: 0 });
  while (client.stats().reconnects < 10) await once(client, 'reconnect');
});

test('a socket that nobody listens to warns once when it has been down for long', async () => {
  const port = await refusedPort();
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'] });
  const warned = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
  try {
    const client = new Socket({ reconnect: SOON });
    const waiting = new Promise((resolve) => {
      const { emit } = client;
      client.emit = (name, ...args) => {
        if (name === 'reconnecting') resolve();
        return emit.call(client, name, ...args);
      };
    });
    client.connect(port, '127.0.0.1');
    await waiting;
    jest.advanceTimersByTime(30_000);
    jest.advanceTimersByTime(30_000);
    expect(warned.mock.calls).toEqual([[expect.stringContaining('ECONNREFUSED'), { type: 'UnresetWarning', code: 'UNRESET_SOCKET_DOWN' }]]);
    client.destroy();
  } finally {
    jest.useRealTimers();
    warned.mockRestore();
  }
});

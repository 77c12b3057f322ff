'use strict';

const { once } = require('node:events');
const { SOON, connectTo, received, closeSockets } = require('../../support/sockets');
const { listen, closeTcp } = require('../../support/tcp');

afterEach(async () => {
  closeSockets();
  await closeTcp();
});

/** Answers each `login` with `ok`. */
function doorkeeping() {
  return listen((peer) => peer.socket.on('data', (chunk) => {
    if (chunk.toString().startsWith('login')) peer.socket.write('ok\nrest');
  }));
}

test('onConnect has every connection before what was written', async () => {
  const server = await doorkeeping();
  const order = [];
  const client = connectTo(server.port, {
    async onConnect(session) {
      order.push(`greets ${session.generation}`);
      expect(this).toBe(client);
      session.write('login');
      expect((await session.readUntil('\n')).toString()).toBe('ok\n');
      expect((await session.read(2)).toString()).toBe('re');
    },
  });
  client.on('connect', () => order.push('connect')).on('reconnect', () => order.push('reconnect'));
  client.write(' queued');
  expect(await received(client, 2)).toBe('st');
  const first = await server.connection(0);
  expect((await first.bytes(12)).toString()).toBe('login queued');
  first.socket.resetAndDestroy();
  await once(client, 'disconnect');
  client.write(' again');
  expect((await (await server.connection(1)).bytes(11)).toString()).toBe('login again');
  expect(order).toEqual(['greets 1', 'connect', 'greets 2', 'reconnect']);
});

test('what onConnect only writes leaves before everything else too', async () => {
  const server = await listen();
  const client = connectTo(server.port, { onConnect: (session) => session.write('subscribe') });
  client.write(' queued');
  expect((await (await server.connection(0)).bytes(16)).toString()).toBe('subscribe queued');
});

test('a failure of onConnect is a failed attempt', async () => {
  const server = await listen();
  let times = 0;
  const client = connectTo(server.port, {
    onConnect() {
      times += 1;
      if (times < 3) throw Object.assign(new Error('wrong password'), { code: 'E_PASSWORD' });
    },
  });
  const disconnected = jest.fn();
  client.on('disconnect', disconnected);
  const [{ attempt, fault }] = await once(client, 'reconnecting');
  expect([attempt, fault.phase]).toEqual([1, 'handshake']);
  expect(fault.detail ?? fault.code).toMatch(/password|E_PASSWORD/i);
  await once(client, 'connect');
  expect([times, disconnected.mock.calls.length]).toEqual([3, 0]);

  const other = connectTo(server.port, { reconnect: { ...SOON, retries: 1 }, onConnect: () => Promise.reject(new Error('no')) });
  const [error] = await once(other, 'error');
  expect(error).toMatchObject({ gaveUp: 'attempts-exhausted', attempts: 1 });
});

test('a session ends with its connection', async () => {
  const server = await listen();
  const sessions = [];
  const client = connectTo(server.port, {
    async onConnect(session) {
      sessions.push(session);
      if (sessions.length === 1) await session.read();
    },
  });
  const peer = await server.connection(0);
  while (sessions.length === 0) await new Promise(setImmediate);
  peer.socket.resetAndDestroy();
  await once(sessions[0].signal, 'abort');
  expect(sessions[0].signal.reason).toMatchObject({ code: 'ECONNRESET', phase: 'handshake' });
  await once(client, 'connect');
  expect(() => sessions[0].write('x')).toThrow(expect.objectContaining({ code: 'ECONNRESET' }));
  expect(() => sessions[1].write('x')).toThrow(expect.objectContaining({ code: 'ERR_SOCKET_SESSION_OVER' }));
});

test('a session that takes too long is a failed attempt', async () => {
  const server = await listen();
  const client = connectTo(server.port, { connectTimeout: 50, onConnect: () => new Promise(() => {}) });
  const [{ fault }] = await once(client, 'reconnecting');
  expect(fault).toMatchObject({ code: 'ETIMEDOUT', phase: 'handshake' });
  expect(server.accepted).toHaveLength(1);
});

test('what onConnect does not read comes after the event', async () => {
  const server = await listen((peer) => peer.socket.write('ok\nrest'));
  const order = [];
  const client = connectTo(server.port, { onConnect: (session) => session.readUntil('\n') });
  client.on('data', (chunk) => order.push(String(chunk)));
  client.on('connect', () => order.push('connect')).on('reconnect', () => order.push('reconnect'));
  while (order.length < 2) await once(client, 'data');
  (await server.connection(0)).socket.resetAndDestroy();
  while (order.length < 4) await once(client, 'data');
  expect(order).toEqual(['connect', 'rest', 'reconnect', 'rest']);
});

test('of a connection that does not come up nothing comes', async () => {
  const server = await listen((peer) => peer.socket.write('no\nrest'));
  const client = connectTo(server.port, {
    reconnect: { ...SOON, retries: 1 },
    async onConnect(session) {
      throw Object.assign(new Error(String(await session.readUntil('\n')).trim()), { errno: 5n, port: 'abc' });
    },
  });
  const data = jest.fn();
  client.on('data', data);
  const [error] = await once(client, 'error');
  expect(data).not.toHaveBeenCalled();
  // The error of the program is there whole, whatever it holds.
  expect(error).toMatchObject({ code: 'UNKNOWN', message: 'UNKNOWN: onConnect failed: no', cause: { message: 'no', errno: 5n } });
});

test('while it is greeted it has no address of a connection that is gone', async () => {
  const server = await listen((peer) => peer.socket.on('data', () => peer.socket.resetAndDestroy()));
  const client = connectTo(server.port, {
    onConnect(session) {
      expect(client.remotePort).toBe(server.port);
      session.write('x');
      return session.read();
    },
  });
  const [fault, ...addresses] = await new Promise((resolve) => {
    client.once('reconnecting', (next) => resolve([next.fault, client.remoteAddress, client.localPort, client.address()]));
  });
  expect(fault).toMatchObject({ code: 'ECONNRESET', phase: 'handshake', reason: 'The connection was lost before onConnect was done.' });
  expect(addresses).toEqual([undefined, undefined, {}]);
});

test('onConnect may read more than is read ahead', async () => {
  const much = 3 << 20;
  const server = await listen((peer) => peer.socket.end(Buffer.alloc(much + 1, 'x').fill('\n', much)));
  for (const read of [(session) => session.read(much + 1), (session) => session.readUntil('\n')]) {
    const length = await new Promise((resolve) => {
      connectTo(server.port, { onConnect: async (session) => resolve((await read(session)).length) });
    });
    expect(length).toBe(much + 1);
  }
});

test('what nobody takes of the stream does not keep a greeting from its answer, however long that is', async () => {
  const long = 100_000;
  const server = await listen((peer) => peer.socket.write(Buffer.alloc(server.accepted.length === 1 ? 8 << 20 : long)));
  const client = connectTo(server.port, {
    onConnect: (session) => (session.generation === 1 ? undefined : session.read(long)),
  }).pause();
  await once(client, 'connect');
  // All that is read ahead has been.
  let read;
  do {
    read = client.stats().bytesRead;
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  } while (read === 0 || client.stats().bytesRead !== read);
  (await server.connection(0)).socket.resetAndDestroy();
  // An end that is not read is found by writing.
  client.write('x');
  await once(client, 'reconnect');
});

test.each([
  ['read(0)', (session) => session.read(0)],
  ["read('5')", (session) => session.read('5')],
  ["readUntil('')", (session) => session.readUntil('')],
  ['readUntil(5)', (session) => session.readUntil(5)],
  ['write(5)', (session) => session.write(5)],
])('a session refuses %s', async (name, wrong) => {
  const server = await listen((peer) => peer.socket.write('data'));
  const client = connectTo(server.port, { reconnect: false, onConnect: (session) => wrong(session) });
  const [error] = await once(client, 'error');
  expect(error.cause.code).toMatch(/^ERR_(INVALID_ARG|OUT_OF_RANGE)/);
});

test('a session writes in an encoding, reads once at a time, and its signal ends with its connection', async () => {
  const server = await listen();
  let session;
  const client = connectTo(server.port, {
    async onConnect(given) {
      // Of the first connection.
      session ??= given;
      given.write('6162', 'hex');
      const first = given.read(1);
      await expect(given.read()).rejects.toMatchObject({ code: 'ERR_SOCKET_SESSION_BUSY' });
      await first;
    },
  });
  const peer = await server.connection(0);
  expect(String(await peer.bytes(2))).toBe('ab');
  peer.socket.write('x');
  await once(client, 'connect');
  expect(session.signal.aborted).toBe(false);
  await expect(session.read()).rejects.toMatchObject({ code: 'ERR_SOCKET_SESSION_OVER' });
  peer.socket.resetAndDestroy();
  const [{ fault }] = await once(client, 'disconnect');
  expect(session.signal.reason).toMatchObject({ code: fault.code });
});

test('destroy during onConnect', async () => {
  const server = await listen();
  let client;
  const session = await new Promise((resolve) => {
    client = connectTo(server.port, {
      async onConnect(given) {
        resolve(given);
        await given.read();
      },
    });
  });
  client.destroy();
  expect(session.signal.aborted).toBe(true);
  expect(await (await server.connection(0)).ended).toMatch(/FIN|ECONNRESET/);
});

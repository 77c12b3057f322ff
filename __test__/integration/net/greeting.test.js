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

'use strict';

/** `onConnect`: every connection, before anything that was sent may leave. */

const { once } = require('node:events');
const { closeWebSockets, connectTo, ended, record, serve } = require('../../support/websockets');

afterEach(closeWebSockets);

/** Lets in whoever says the password, and answers everything else. */
function guarded() {
  return serve((socket) => {
    socket.once('message', (data) => {
      if (String(data) !== 'password') {
        socket.close(1008, 'not let in');
        return;
      }
      socket.send('noise');
      socket.send('welcome');
      socket.on('message', (next) => socket.send(`echo ${next}`));
    });
  });
}

test('it authenticates on every connection, and what was sent leaves after it', async () => {
  const server = await guarded();
  const sessions = [];
  const ws = connectTo(server.url, {
    protocols: 'p',
    async onConnect(session) {
      expect(this).toBe(ws);
      session.send('password');
      const answer = await session.once((data) => data === 'welcome');
      sessions.push([session.generation, session.protocol, session.url, answer, this.readyState]);
    },
  });
  const told = [];
  ws.on('message', (data) => told.push(String(data)));
  for (const name of ['open', 'reconnect']) ws.on(name, () => told.push(name));
  ws.send('queued');
  await once(ws, 'open');
  while (told.length < 3) await once(ws, 'message');
  // What the session did not take reaches the listeners when they know that there is a connection.
  expect(told.splice(0)).toEqual(['open', 'noise', 'echo queued']);
  server.resetAll();
  await once(ws, 'reconnect');
  ws.send('again');
  while (told.length < 3) await once(ws, 'message');
  expect(told).toEqual(['reconnect', 'noise', 'echo again']);
  expect(sessions).toEqual([[1, 'p', `${server.url}/`, 'welcome', 0], [2, 'p', `${server.url}/`, 'welcome', 0]]);
});

test('once: the next message, in the form of each', async () => {
  const server = await serve((socket) => {
    socket.send('text é');
    socket.send(Buffer.from([1, 2]));
    socket.send('for the listeners');
  });
  const got = [];
  const ws = connectTo(server.url, {
    async onConnect(session) {
      got.push(await session.once(), await session.once('message'));
      await expect(session.once('other')).rejects.toThrow(/accepts/);
      const waiting = session.once(() => false);
      await expect(session.once()).rejects.toThrow(/one message at a time/);
      waiting.catch((error) => got.push(error.code));
    },
  });
  const [data] = await once(ws, 'message');
  expect([String(data), got]).toEqual(['for the listeners', ['text é', Buffer.from([1, 2]), 'ERR_SOCKET_SESSION_OVER']]);
});

test('everything that a session may send', async () => {
  const got = [];
  const server = await serve((socket) => socket.on('message', (data, isBinary) => got.push(isBinary ? data : String(data))));
  const ws = connectTo(server.url, {
    onConnect(session) {
      session.send('é');
      session.send(Buffer.from('buffer'));
      session.send(new Uint8Array([1]).buffer);
      session.send('x'.repeat(100_000));
      expect(() => session.send(7)).toThrow(TypeError);
    },
  });
  ws.send('after');
  await once(ws, 'open');
  ws.close();
  await ended(ws);
  expect(got).toEqual(['é', Buffer.from('buffer'), Buffer.from([1]), 'x'.repeat(100_000), 'after']);
});

test('one that throws is a failed attempt, and not the end', async () => {
  const server = await serve();
  let failures = 0;
  const ws = connectTo(server.url, {
    onConnect() {
      if (failures++ < 2) throw Object.assign(new Error('not yet'), { code: 'E_NOT_YET' });
    },
  });
  const told = record(ws);
  await once(ws, 'open');
  expect(told.map(([name]) => name)).toEqual(['reconnecting', 'reconnecting', 'open']);
  expect(told[0][1].fault).toMatchObject({ phase: 'handshake', code: 'E_NOT_YET' });
});

test('a server that closes during it with a final code ends it', async () => {
  const server = await guarded();
  const ws = connectTo(server.url, {
    async onConnect(session) {
      session.send('wrong');
      await session.once();
    },
  });
  const told = record(ws);
  expect(await ended(ws)).toMatchObject({ code: 1008, reason: 'not let in' });
  expect(told.map(([name]) => name)).not.toContain('open');
});

test('a connection that is lost during it ends the session and its signal', async () => {
  const server = await serve((socket) => server.accepted.length === 1 && socket.terminate());
  const lost = [];
  const ws = connectTo(server.url, {
    async onConnect(session) {
      if (session.generation > 1) return;
      const error = await session.once().catch((reason) => reason);
      lost.push(error.code, session.signal.aborted, session.signal.reason === error);
      try {
        session.send('x');
      } catch (reason) {
        lost.push(reason === error);
      }
    },
  });
  await once(ws, 'open');
  expect(lost).toEqual(['ECONNRESET', true, true, true]);
});

test('it has as long as a handshake has', async () => {
  const server = await serve();
  let attempts = 0;
  const ws = connectTo(server.url, { handshakeTimeout: 300, onConnect: () => (attempts++ === 0 ? new Promise(() => {}) : undefined) });
  const [{ fault }] = await once(ws, 'reconnecting');
  expect([fault.code, fault.phase]).toEqual(['ETIMEDOUT', 'handshake']);
  await once(ws, 'open');
});

test('close during it', async () => {
  const server = await serve();
  const ws = connectTo(server.url, {
    onConnect() {
      ws.close();
      return new Promise(() => {});
    },
  });
  expect((await ended(ws)).error.message).toMatch(/closed before/);
});

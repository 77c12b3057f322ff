'use strict';

/** Connections that are lost, and how it comes back. The faults are made by FaultProxy, or by servers that go. */

const { once } = require('node:events');
const { FaultProxy, createPolicy } = require('../../..');
const { SOON, closeWebSockets, connectTo, echoing, ended, messages, record, serve } = require('../../support/websockets');

const proxies = new Set();

afterEach(async () => {
  await closeWebSockets();
  for (const proxy of proxies) await proxy.close();
  proxies.clear();
});

async function proxied(server) {
  const proxy = await FaultProxy.listen({ upstream: server.port });
  proxies.add(proxy);
  return { proxy, url: `ws://${proxy.address}` };
}

const names = (told) => told.map(([name]) => name);

test('a reset is a disconnect and a reconnect, and open and close come once', async () => {
  const server = await echoing();
  const { proxy, url } = await proxied(server);
  const ws = connectTo(url);
  const told = record(ws);
  await once(ws, 'open');
  for (let round = 0; round < 3; round++) {
    const again = once(ws, 'reconnect');
    proxy.resetAll();
    await again;
    const back = messages(ws, 1);
    ws.send(`round ${round}`);
    expect(await back).toEqual([`round ${round}`]);
  }
  ws.close(1000);
  await ended(ws);
  const loss = ['disconnect', 'reconnecting', 'reconnect'];
  expect(names(told)).toEqual(['open', ...loss, ...loss, ...loss, 'close']);
  expect(told[1][1]).toMatchObject({
    code: 1006, reason: '', fault: { code: 'ECONNRESET', kind: 'reset', ending: 'rst' }, bytesRead: expect.any(Number), bytesWritten: expect.any(Number),
    idle: expect.any(Number), uptime: expect.any(Number),
  });
  expect(told[2][1]).toMatchObject({ attempt: 1, delay: expect.any(Number), fault: { code: 'ECONNRESET' } });
  expect(told[3][1]).toEqual({ attempts: 1, downtime: expect.any(Number) });
  expect(ws.stats()).toMatchObject({ reconnects: 3, generation: 4 });
});

test('a server that restarts', async () => {
  const first = await echoing();
  const ws = connectTo(first.url);
  const told = record(ws);
  await once(ws, 'open');
  const waiting = once(ws, 'reconnecting');
  await first.close();
  await waiting;
  expect(ws.readyState).toBe(0);
  // Refused, until it is there again.
  const refused = new Promise((resolve) => {
    ws.on('reconnecting', ({ fault }) => fault.code === 'ECONNREFUSED' && resolve());
  });
  await refused;
  const again = once(ws, 'reconnect');
  ws.send('kept');
  const back = messages(ws, 1);
  await echoing({ port: first.port });
  expect((await again)[0].attempts).toBeGreaterThan(1);
  expect(await back).toEqual(['kept']);
  expect(names(told).filter((name) => name !== 'reconnecting')).toEqual(['open', 'disconnect', 'reconnect']);
});

test('the first connection is tried again like any other', async () => {
  const server = await serve();
  await server.close();
  const ws = connectTo(server.url);
  const told = record(ws);
  await once(ws, 'reconnecting');
  await serve(undefined, { port: server.port });
  await once(ws, 'open');
  expect(new Set(names(told))).toEqual(new Set(['reconnecting', 'open']));
});

test('retries bounds the attempts in a row', async () => {
  const server = await serve();
  await server.close();
  const ws = connectTo(server.url, { reconnect: { ...SOON, retries: 2 } });
  const told = record(ws);
  const { code, error, fault } = await ended(ws);
  expect([code, error.attempts, error.gaveUp, fault.code]).toEqual([1006, 2, 'attempts-exhausted', 'ECONNREFUSED']);
  expect(names(told)).toEqual(['reconnecting', 'reconnecting', 'error', 'close']);
});

test('within bounds the time', async () => {
  const server = await serve();
  await server.close();
  const { error } = await ended(connectTo(server.url, { reconnect: { backoff: { base: 20, cap: 20 }, within: 30 } }));
  expect(error.gaveUp).toBe('out-of-time');
});

test('a server that accepts and hangs up is not met at full speed: minUptime', async () => {
  const server = await serve((socket) => socket.terminate());
  const ws = connectTo(server.url, { reconnect: { ...SOON, retries: 3, minUptime: 60_000 } });
  const attempts = [];
  ws.on('reconnecting', ({ attempt }) => attempts.push(attempt));
  expect((await ended(ws)).error.gaveUp).toBe('attempts-exhausted');
  expect(attempts).toEqual([1, 2, 3]);
});

test('a connection that has proved itself begins to count anew', async () => {
  let remaining = 5;
  const server = await serve((socket) => remaining-- > 0 && socket.terminate());
  const ws = connectTo(server.url, { reconnect: { ...SOON, retries: 1 }, minUptime: 0 });
  const attempts = [];
  ws.on('reconnecting', ({ attempt }) => attempts.push(attempt));
  while (server.accepted.length < 6) await once(ws, 'reconnect');
  expect(attempts).toEqual([1, 1, 1, 1, 1]);
});

test('onRetry is told before the wait', async () => {
  const server = await serve();
  const told = [];
  const ws = connectTo(server.url, { reconnect: { ...SOON, onRetry: (next) => told.push(next) } });
  await once(ws, 'open');
  const next = once(ws, 'reconnecting');
  const again = once(ws, 'reconnect');
  server.resetAll();
  expect(told).toEqual(await next);
  await again;
});

test('a name that is not there ends it at last', async () => {
  const { code, fault } = await ended(connectTo('ws://nowhere.invalid', { reconnect: { backoff: { base: 1, cap: 1 }, retries: 20 } }));
  expect([code, fault.code, fault.phase]).toEqual([1006, 'ENOTFOUND', 'resolve']);
});

describe('what is sent', () => {
  test('before there is a connection leaves in order, after onConnect', async () => {
    const got = [];
    const server = await serve((socket) => socket.on('message', (data) => got.push(String(data))));
    const ws = connectTo(server.url, { onConnect: (session) => session.send('first') });
    const words = ['a', 'b', 'c'].map((text) => ws.deliver(text));
    expect(ws.bufferedAmount).toBe(3);
    expect(await Promise.all(words)).toEqual(['written', 'written', 'written']);
    ws.close();
    await ended(ws);
    expect([got, ws.bufferedAmount]).toEqual([['first', 'a', 'b', 'c'], 0]);
  });

  test('while there is none waits, and then leaves', async () => {
    const server = await echoing();
    const { proxy, url } = await proxied(server);
    const ws = connectTo(url);
    await once(ws, 'open');
    const lost = once(ws, 'disconnect');
    const back = messages(ws, 2);
    proxy.resetAll();
    await lost;
    const told = [ws.deliver('1'), ws.deliver(new Blob(['2']))];
    expect(ws.bufferedAmount).toBe(2);
    expect(await Promise.all(told)).toEqual(['written', 'written']);
    expect((await back).map(String)).toEqual(['1', '2']);
  });

  test('and waits for too long is told: queue.age', async () => {
    const server = await serve();
    await server.close();
    const ws = connectTo(server.url, { queue: { age: 30 } });
    const unsent = once(ws, 'unsent');
    const told = new Promise((resolve) => {
      ws.send('awaited', resolve);
    });
    ws.send('é');
    expect(await told).toMatchObject({ code: 'ERR_WEBSOCKET_MESSAGE_EXPIRED', delivery: 'not-sent' });
    expect((await unsent)[0]).toMatchObject({ messages: 1, bytes: 2, delivery: 'not-sent' });
    expect(ws.bufferedAmount).toBe(0);
  });

  test('and does not fit is told: queue.bytes', async () => {
    const server = await serve();
    await server.close();
    const ws = connectTo(server.url, { queue: { bytes: 10 } });
    const words = [ws.deliver('12345'), ws.deliver('67890'), ws.deliver('x'), ws.deliver('')];
    const unsent = once(ws, 'unsent');
    ws.send('too much');
    expect((await unsent)[0]).toMatchObject({ messages: 1, bytes: 8, error: { code: 'ERR_WEBSOCKET_QUEUE_FULL' } });
    expect(await words[2]).toBe('unsent');
    expect(ws.bufferedAmount).toBe(10);
    ws.close();
    expect(await Promise.all(words)).toEqual(['unsent', 'unsent', 'unsent', 'unsent']);
  });

  /** Sends so much that a peer who does not read has part of it, and resets the connection then. */
  async function cutOff(ws, proxy, count) {
    await once(ws, 'open');
    proxy.pause();
    const words = Array.from({ length: count }, (_, index) => ws.deliver(Buffer.alloc(1024 * 1024, index)));
    while (ws.stats().bytesWritten < 64 * 1024) await new Promise(setImmediate);
    const lost = once(ws, 'disconnect');
    proxy.resetAll();
    proxy.resume();
    const [loss] = await lost;
    return { loss, words };
  }

  test('to a connection that is lost with it on its way is unknown', async () => {
    const got = [];
    const server = await serve((socket) => socket.on('message', (data) => got.push(data[0])));
    const { proxy, url } = await proxied(server);
    const ws = connectTo(url, { perMessageDeflate: false });
    const { loss, words } = await cutOff(ws, proxy, 16);
    const told = await Promise.all(words);
    // What had left, or begun to, is not sent again; the rest went over the next connection.
    const cut = told.lastIndexOf('unknown');
    expect(cut).toBeGreaterThanOrEqual(0);
    expect(new Set(told.slice(cut + 1))).toEqual(new Set(['written']));
    expect(loss).toMatchObject({ code: 1006, fault: { ending: 'rst', phase: 'send', reason: expect.stringMatching(/message of 1048576 bytes/) } });
    ws.close();
    await ended(ws);
    expect(got).toEqual(Array.from({ length: 16 }, (_, index) => index).slice(cut + 1));
  });

  test('and is unknown leaves again where that is asked for', async () => {
    const got = [];
    const server = await serve((socket) => socket.on('message', (data) => got.push(data[0])));
    const { proxy, url } = await proxied(server);
    const ws = connectTo(url, { perMessageDeflate: false, resend: 'unknown-too' });
    const { words } = await cutOff(ws, proxy, 16);
    expect(new Set(await Promise.all(words))).toEqual(new Set(['written']));
    ws.close();
    await ended(ws);
    // Nothing is missing, and the order is kept. What arrived twice did so because nobody could tell.
    expect(Array.from(new Set(got))).toEqual(Array.from({ length: 16 }, (_, index) => index));
  });

  test('at the end is told of, with a callback or without', async () => {
    const server = await serve();
    await server.close();
    const ws = connectTo(server.url);
    const unsent = [];
    ws.on('unsent', (lost) => unsent.push(lost));
    ws.on('error', () => {});
    const word = ws.deliver('a');
    const inLine = ws.deliver(new Blob(['b']));
    ws.send('cc');
    const closed = ended(ws);
    ws.terminate();
    expect([await word, await inLine]).toEqual(['unsent', 'unsent']);
    await closed;
    expect(await ws.deliver('after')).toBe('unsent');
    await new Promise(setImmediate);
    expect(unsent.map(({ messages: count, bytes, delivery }) => [count, bytes, delivery])).toEqual([[1, 2, 'not-sent']]);
  });

  test('leaves before the end that close asks for', async () => {
    const got = [];
    const server = await serve((socket) => socket.on('message', (data) => got.push(data.length)));
    const ws = connectTo(server.url);
    await once(ws, 'open');
    ws.send(Buffer.alloc(5_000_000));
    ws.send(new Blob(['abc']));
    ws.send('x');
    ws.close(1000);
    expect((await ended(ws)).code).toBe(1000);
    expect(got).toEqual([5_000_000, 3, 1]);
  });
});

describe('why it was lost', () => {
  test('the peer ended the connection without a Close frame', async () => {
    const server = await serve((socket) => socket._socket.end());
    const [loss] = await once(connectTo(server.url), 'disconnect');
    expect(loss).toMatchObject({ code: 1006, fault: { code: 'ECONNRESET', ending: 'fin' } });
  });

  test('a reset while nothing was going on, with the bytes in and out', async () => {
    const server = await echoing();
    const { proxy, url } = await proxied(server);
    const ws = connectTo(url, { perMessageDeflate: false });
    await once(ws, 'open');
    const back = messages(ws, 1);
    ws.send('12345');
    await back;
    const lost = once(ws, 'disconnect');
    proxy.resetAll();
    const [{ fault, idle, bytesRead, bytesWritten }] = await lost;
    // Two bytes of head, and four of a mask on the way out.
    expect([fault.phase, fault.ending, idle >= 0, bytesRead, bytesWritten]).toEqual(['idle', 'rst', true, 7, 11]);
    expect(fault.reason).toContain('7 bytes in, 11 bytes out');
  });

  test('a reset while an answer was waited for, whatever pongs came meanwhile', async () => {
    const server = await serve((socket) => socket.on('message', () => socket.pong('still here')));
    const { proxy, url } = await proxied(server);
    const ws = connectTo(url);
    await once(ws, 'open');
    const pong = once(ws, 'pong');
    ws.send('a question');
    await pong;
    const lost = once(ws, 'disconnect');
    proxy.resetAll();
    const [{ fault }] = await lost;
    expect([fault.phase, fault.delivery]).toEqual(['wait', 'unknown']);
  });

  test('a certificate that is not trusted is final, and says so', async () => {
    const { makeCertificate } = require('../../support/certificates');
    const server = await serve(undefined, { tls: await makeCertificate() });
    const { code, error, fault } = await ended(connectTo(server.url));
    expect([code, error.code, fault.kind]).toEqual([1006, 'DEPTH_ZERO_SELF_SIGNED_CERT', 'tls']);
  });
});

test('policies, channels and their listeners are told', async () => {
  const diagnostics = require('node:diagnostics_channel');
  const server = await serve();
  const policy = createPolicy(SOON);
  const told = [];
  for (const name of ['attempt', 'retry', 'recovered', 'gave-up']) policy.on(name, (event) => told.push([name, event]));
  const published = [];
  const listener = (event) => published.push(event);
  diagnostics.subscribe('unreset:retry', listener);
  const { host } = new URL(server.url);
  const ws = connectTo(`ws://user:secret@${host}/path`, { reconnect: policy });
  await once(ws, 'open');
  const again = once(ws, 'reconnect');
  server.resetAll();
  await again;
  diagnostics.unsubscribe('unreset:retry', listener);
  expect(told.map(([name, { attempt }]) => [name, attempt])).toEqual([['attempt', 1], ['retry', 1], ['attempt', 2], ['recovered', undefined]]);
  expect(told[1][1]).toMatchObject({ surface: 'WebSocket', origin: server.url, url: `${server.url}/path`, fault: { code: 'ECONNRESET' }, why: 'reconnect' });
  expect(published).toEqual([told[1][1]]);
  expect(told[3][1].recovery).toMatchObject({ attempts: [{ fault: { code: 'ECONNRESET' }, delay: 0 }, { fault: null }], resumed: 0 });

  told.length = 0;
  await server.close();
  const gone = connectTo(server.url, { reconnect: policy.with({ retries: 1 }) });
  await ended(gone);
  expect(told.filter(([name]) => name === 'gave-up').map(([, { gaveUp, recovery }]) => [gaveUp, recovery.attempts.length, recovery.gaveUp])).toEqual([
    ['attempts-exhausted', 2, 'attempts-exhausted'],
  ]);
});

test.each([
  ['nobody listens', () => {}, 1],
  ['somebody listens with on', (ws) => ws.on('disconnect', () => {}), 0],
  ['somebody listens as the standard has it', (ws) => ws.addEventListener('reconnecting', () => {}), 0],
])('after 30 s without a connection it warns once, where %s', async (name, listen, warnings) => {
  const server = await serve();
  await server.close();
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'] });
  const warned = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
  try {
    const ws = connectTo(server.url);
    listen(ws);
    await new Promise((resolve) => {
      const { emit } = ws;
      ws.emit = (event, ...args) => {
        if (event === 'reconnecting') resolve();
        return emit.call(ws, event, ...args);
      };
    });
    jest.advanceTimersByTime(30_000);
    jest.advanceTimersByTime(30_000);
    expect(warned.mock.calls.map(([text, { code }]) => [text.split(' ')[1], code])).toEqual(Array(warnings).fill(['WebSocket', 'UNRESET_SOCKET_DOWN']));
  } finally {
    jest.useRealTimers();
    warned.mockRestore();
  }
});

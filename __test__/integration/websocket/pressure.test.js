'use strict';

/** A peer that is slower than we are, or that cannot take what we send. */

const { once } = require('node:events');
const { FaultProxy } = require('../../..');
const { SOON, closeWebSockets, connectTo, ended, readFrames, record, serve, serveRaw } = require('../../support/websockets');

const MIB = 1024 * 1024;

afterEach(closeWebSockets);

test('bufferedAmount is exact while the peer does not read, and drains when it does', async () => {
  const server = await serve();
  const ws = connectTo(server.url, { perMessageDeflate: false });
  await once(ws, 'open');
  const peer = await server.connection(0);
  peer.pause();
  ws.send('é');
  expect(ws.bufferedAmount).toBe(2);
  let sent = 2;
  // More than all buffers between the two.
  for (let index = 0; index < 48; index++) {
    ws.send(Buffer.alloc(MIB));
    sent += MIB;
  }
  expect(ws.bufferedAmount).toBeLessThanOrEqual(sent);
  expect(ws.bufferedAmount).toBeGreaterThan(16 * MIB);
  let isDrained = false;
  const half = ws.drained(40 * MIB).then(() => {
    expect(isDrained).toBe(false);
    expect(ws.bufferedAmount).toBeLessThanOrEqual(40 * MIB);
  });
  const all = ws.drained().then(() => {
    isDrained = true;
  });
  peer.resume();
  await half;
  await all;
  expect(ws.bufferedAmount).toBe(0);
  await ws.drained();
});

test('drained ends with an error when the WebSocket ends before', async () => {
  const server = await serve();
  await server.close();
  const ws = connectTo(server.url);
  ws.on('error', () => {});
  ws.send('never');
  const waiting = ws.drained();
  const behindBlob = (ws.send(new Blob(['x'])), ws.drained());
  ws.terminate();
  await expect(waiting).rejects.toMatchObject({ code: 'ERR_WEBSOCKET_CLOSED' });
  await expect(behindBlob).rejects.toMatchObject({ code: 'ERR_WEBSOCKET_CLOSED' });
});

test('memory stays bounded when the peer stops reading', async () => {
  const { runProgram } = require('../../support/program');
  const program = await runProgram('websocket-pressure.js');
  expect(program).toMatchObject({ code: 0, stderr: '' });
  const { grown, refused, bound } = JSON.parse(program.stdout);
  expect(refused).toBeGreaterThan(0);
  expect(grown).toBeLessThan(bound);
}, 60_000);

test('a message that makes the server say 1009 is set aside, and the others go on', async () => {
  const got = [];
  const server = await serve((socket) => socket.on('message', (data) => got.push(data.length)), { maxPayload: 100_000, perMessageDeflate: false });
  const ws = connectTo(server.url);
  const told = record(ws, ['open', 'oversized', 'disconnect', 'reconnect', 'close']);
  await once(ws, 'open');
  expect(await ws.deliver('x'.repeat(50_000))).toBe('written');
  const oversized = once(ws, 'oversized');
  const word = ws.deliver('y'.repeat(200_000));
  const [{ data, isBinary, bytes, largest, fault }] = await oversized;
  expect([data, isBinary, bytes, largest, fault.code]).toEqual(['y'.repeat(200_000), false, 200_000, 50_000, 'WS_1009']);
  // The system had taken all of it before the server had seen enough, or it had not.
  expect(['written', 'unknown']).toContain(await word);
  expect(await ws.deliver('z')).toBe('written');
  ws.close();
  await ended(ws);
  expect(told.map(([name]) => name).sort()).toEqual(['close', 'disconnect', 'open', 'oversized', 'reconnect']);
  // Once each: what was set aside was never sent again.
  expect(got).toEqual([50_000, 1]);
  expect(server.accepted).toHaveLength(2);
});

test('1009 for anything else is final', async () => {
  const server = await serve((socket) => socket.close(1009, 'too much'));
  expect(await ended(connectTo(server.url))).toMatchObject({ code: 1009, reason: 'too much' });
});

test('ws sends the same message again and again, or loses it', async () => {
  // What the feature is for: the client of ws beside it dies of the message, and knows only the code.
  const { WebSocket: Ws } = require('ws');
  const server = await serve(undefined, { maxPayload: 100_000, perMessageDeflate: false });
  const ws = new Ws(server.url);
  await once(ws, 'open');
  const told = new Promise((resolve) => {
    ws.send('y'.repeat(200_000), resolve);
  });
  expect((await once(ws, 'close'))[0]).toBe(1009);
  expect(await told).toBeFalsy();
});

test('after a reset that follows large messages frames and pace are smaller, and that is told', async () => {
  const server = await serve(undefined, { perMessageDeflate: false, maxPayload: 0 });
  const proxy = await FaultProxy.listen({ upstream: server.port });
  try {
    const ws = connectTo(`ws://${proxy.address}/adapts`, { perMessageDeflate: false, reconnect: SOON });
    await once(ws, 'open');
    const before = ws.flow();
    expect(before.maxFrame).toBe(65_536);
    expect(before.frame).toBe(65_536);
    const strike = proxy.add({ type: 'reset', on: 'request', afterBytes: 3 * MIB, times: 1 });
    const adapted = once(ws, 'adapt');
    for (let index = 0; index < 8; index++) ws.send(Buffer.alloc(MIB));
    const [change] = await adapted;
    expect(strike.hits).toBe(1);
    expect(change).toMatchObject({ frame: 32_768, reason: 'reset' });
    expect(ws.flow()).toMatchObject({ frame: 32_768, maxFrame: 65_536 });
    // It is known to every WebSocket of this endpoint, and to no other.
    const same = connectTo(`ws://${proxy.address}/adapts`);
    const other = connectTo(`ws://${proxy.address}/other`);
    await Promise.all([once(same, 'open'), once(other, 'open')]);
    expect([same.flow().frame, other.flow().frame]).toEqual([32_768, 65_536]);
  } finally {
    await proxy.close();
  }
});

test('adapt: false keeps frames as they are', async () => {
  const frames = [];
  let received = 0;
  const server = await serveRaw((socket) => {
    const isFirst = server.upgrades === 1;
    if (isFirst) socket.on('data', ({ length }) => (received += length) > 2 * MIB && socket.resetAndDestroy());
    else readFrames(socket, ({ opcode, payload }) => opcode < 8 && frames.push(payload.length));
  });
  const options = { perMessageDeflate: false };
  const first = connectTo(server.url, options);
  const adapted = once(first, 'adapt');
  first.send(Buffer.alloc(8 * MIB));
  await adapted;
  first.terminate();
  for (const [adapt, length] of [[true, 32_768], [false, 65_536]]) {
    frames.length = 0;
    const ws = connectTo(server.url, { ...options, adapt });
    await once(ws, 'open');
    expect(ws.flow().frame).toBe(length);
    ws.send(Buffer.alloc(100_000));
    while (frames.length === 0) await new Promise(setImmediate);
    expect(frames[0]).toBe(length);
    ws.terminate();
  }
});

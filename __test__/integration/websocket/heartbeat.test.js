'use strict';

/** The heartbeat, which belongs to the network thread: it goes on while the event loop does not. */

const path = require('node:path');
const { once } = require('node:events');
const { Worker } = require('node:worker_threads');
const { FaultProxy } = require('../../..');
const { closeWebSockets, connectTo, record, serve } = require('../../support/websockets');

afterEach(closeWebSockets);

function block(milliseconds) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

describe('a server that kills whoever does not answer a ping for 3 s', () => {
  let worker;
  let url;

  beforeAll(async () => {
    worker = new Worker(path.join(__dirname, '..', '..', 'support', 'strict-websocket-server.js'));
    [url] = await once(worker, 'message');
  });
  afterAll(() => worker.terminate());

  test('an event loop that is blocked for 10 s: ours stays, that of ws is killed', async () => {
    const { WebSocket: Ws } = require('ws');
    const ours = connectTo(url);
    const theirs = new Ws(url);
    const told = record(ours);
    await Promise.all([once(ours, 'open'), once(theirs, 'open')]);
    const closed = once(theirs, 'close');
    block(10_000);
    expect((await closed)[0]).toBe(1006);
    worker.postMessage('pongs');
    const [pongs] = await once(worker, 'message');
    // It pings every 500 ms: ours was answered all the time.
    expect(Math.max(...pongs)).toBeGreaterThan(15);
    expect(told.map(([name]) => name)).toEqual(['open']);
    expect(ours.stats().generation).toBe(1);
  }, 60_000);
});

test('a peer that is cut off without a word is found, and come back to', async () => {
  const server = await serve();
  const proxy = await FaultProxy.listen({ upstream: server.port });
  try {
    const ws = connectTo(`ws://${proxy.address}`, { heartbeat: { interval: 50, timeout: 500 } });
    await once(ws, 'open');
    await once(await server.connection(0), 'ping');
    proxy.add({ type: 'blackhole', on: 'response', connections: [1] });
    const [{ code, fault, idle }] = await once(ws, 'disconnect');
    expect([code, fault.code, fault.kind]).toEqual([1006, 'ETIMEDOUT', 'timeout']);
    expect(fault.reason).toMatch(/heartbeat/);
    expect(idle).toBeGreaterThan(0);
    await once(ws, 'reconnect');
  } finally {
    await proxy.close();
  }
});

test('heartbeat: false asks nothing', async () => {
  const pings = [];
  const server = await serve((socket) => socket.on('ping', () => pings.push(server.accepted.indexOf(socket))));
  const quiet = connectTo(server.url, { heartbeat: false });
  await once(quiet, 'open');
  const loud = connectTo(server.url, { heartbeat: { interval: 20 } });
  await once(loud, 'open');
  while (pings.length < 5) await once(server.accepted[1], 'ping');
  expect(pings).not.toContain(0);
});

test('one that is paused is not taken for dead', async () => {
  const server = await serve();
  const ws = connectTo(server.url, { heartbeat: { interval: 20, timeout: 100 } });
  const told = record(ws);
  await once(ws, 'open');
  ws.pause();
  const peer = await server.connection(0);
  // A second one, under the same rules, shows that the time has come.
  const proxy = await FaultProxy.listen({ upstream: server.port });
  try {
    const other = connectTo(`ws://${proxy.address}`, { heartbeat: { interval: 20, timeout: 100 } });
    await once(other, 'open');
    proxy.add({ type: 'blackhole', on: 'response', connections: [1] });
    await once(other, 'disconnect');
  } finally {
    await proxy.close();
  }
  expect(told.map(([name]) => name)).toEqual(['open']);
  ws.resume();
  // The heart goes on.
  await once(peer, 'ping');
  expect(told.map(([name]) => name)).toEqual(['open']);
});

test('stats has the round trip of a ping', async () => {
  const server = await serve();
  const ws = connectTo(server.url, { heartbeat: { interval: 10 } });
  await once(ws, 'open');
  while (ws.stats().ping === undefined) await once(await server.connection(0), 'ping');
  expect(ws.stats().ping).toBeGreaterThanOrEqual(0);
});

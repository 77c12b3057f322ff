'use strict';

/** A thousand of them, whose server goes away and comes back. */

const { once } = require('node:events');
const { closeWebSockets, connectTo, serve } = require('../../support/websockets');

afterEach(closeWebSockets);

test('1 000 WebSockets come back, spread over time, each once, with what was sent meanwhile', async () => {
  const count = 1000;
  const greeted = new Map();
  const onConnection = (socket) => socket.on('message', (data) => {
    const name = String(data);
    greeted.set(name, (greeted.get(name) ?? 0) + 1);
  });
  const first = await serve(onConnection);
  const sockets = Array.from({ length: count }, () => connectTo(first.url, { perMessageDeflate: false, reconnect: undefined }));
  await Promise.all(sockets.map((ws) => once(ws, 'open')));
  const lost = Promise.all(sockets.map((ws) => once(ws, 'disconnect')));
  const waits = Promise.all(sockets.map((ws) => once(ws, 'reconnecting')));
  await first.close();
  await lost;
  const delays = (await waits).map(([{ delay }]) => delay);
  // Full jitter, and the host's calendar on top: no moment has them all.
  expect(new Set(delays.map(Math.round)).size).toBeGreaterThan(50);
  const words = sockets.map((ws, index) => ws.deliver(`${index}`));
  const back = Promise.all(sockets.map((ws) => once(ws, 'reconnect')));
  const second = await serve(onConnection, { port: first.port });
  await back;
  expect(new Set(await Promise.all(words))).toEqual(new Set(['written']));
  while (greeted.size < count) await new Promise(setImmediate);
  expect(new Set(greeted.values())).toEqual(new Set([1]));
  expect(second.accepted).toHaveLength(count);
}, 120_000);

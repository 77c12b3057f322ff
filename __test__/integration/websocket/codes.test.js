'use strict';

/** Every close code and every handshake status: what follows from it. A table that runs. */

const http = require('node:http');
const { once } = require('node:events');
const { closeWebSockets, closing, connectTo, ended, frame, record, serve, serveRaw } = require('../../support/websockets');

const servers = new Set();

afterEach(async () => {
  await closeWebSockets();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  servers.clear();
});

const BACK = 'comes back';
const FINAL = 'is the end';

/** By code: what follows, and the code of the fault. */
const CODES = {
  1000: [FINAL, undefined],
  1001: [BACK, 'WS_1001'],
  1002: [FINAL, 'WS_1002'],
  1003: [FINAL, 'WS_1003'],
  1007: [FINAL, 'WS_1007'],
  1008: [FINAL, 'WS_1008'],
  1009: [FINAL, 'WS_1009'],
  1010: [FINAL, 'WS_1010'],
  1011: [BACK, 'WS_1011'],
  1012: [BACK, 'WS_1012'],
  1013: [BACK, 'WS_1013'],
  1014: [BACK, 'WS_1014'],
  4000: [FINAL, 'WS_4000'],
  4321: [FINAL, 'WS_4321'],
  4999: [FINAL, 'WS_4999'],
};

describe.each(Object.entries(CODES))('a Close frame with %s', (text, [follows, faultCode]) => {
  const code = Number(text);

  /** A server that closes its first connection with the code. */
  const closingOnce = () => {
    let isFirst = true;
    return serve((socket) => {
      if (isFirst) socket.close(code, `reason ${code}`);
      isFirst = false;
    });
  };

  test(`${follows}`, async () => {
    const server = await closingOnce();
    const ws = connectTo(server.url);
    const told = record(ws);
    const events = [];
    ws.addEventListener('close', ({ wasClean }) => events.push(wasClean));
    if (follows === FINAL) {
      const isLoss = code !== 1000;
      const { code: closed, reason, fault, error } = await ended(ws);
      expect([closed, reason, fault?.code, error]).toEqual([code, `reason ${code}`, faultCode, undefined]);
      expect(told.map(([name]) => name)).toEqual(isLoss ? ['open', 'disconnect', 'close'] : ['open', 'close']);
      expect([events, server.accepted.length]).toEqual([[true], 1]);
      return;
    }
    await once(ws, 'reconnect');
    expect(told.map(([name]) => name)).toEqual(['open', 'disconnect', 'reconnecting', 'reconnect']);
    expect(told[1][1]).toMatchObject({ code, reason: `reason ${code}`, fault: { code: faultCode } });
    expect([events, server.accepted.length]).toEqual([[], 2]);
  });

  test('shouldReconnect has the last word', async () => {
    const server = await closingOnce();
    const asked = [];
    const opposite = follows === FINAL;
    const ws = connectTo(server.url, {
      shouldReconnect: (event, fault) => {
        asked.push([event.type, event.code, event.reason, fault.code]);
        return opposite;
      },
    });
    if (opposite) await once(ws, 'reconnect');
    else expect((await ended(ws)).code).toBe(code);
    expect(asked).toEqual([['close', code, `reason ${code}`, `WS_${code}`]]);
  });

  test('reconnect: false', async () => {
    const server = await closingOnce();
    const told = [];
    const ws = connectTo(server.url, { reconnect: false });
    ws.on('disconnect', () => told.push('disconnect'));
    expect((await ended(ws)).code).toBe(code);
    expect(server.accepted).toHaveLength(1);
  });
});

test('1000 is a loss to a program that wants it back', async () => {
  const server = await serve((socket) => server.accepted.length === 1 && socket.close(1000));
  const ws = connectTo(server.url, { shouldReconnect: () => true });
  const told = record(ws);
  await once(ws, 'reconnect');
  expect(told.map(([name]) => name)).toEqual(['open', 'disconnect', 'reconnecting', 'reconnect']);
});

test('reconnect.codes are retried besides the usual ones', async () => {
  let next = 4000;
  const server = await serve((socket) => socket.close(next++));
  const ws = connectTo(server.url, { reconnect: { backoff: { base: 1 }, codes: [4000, 4001] } });
  expect(await ended(ws)).toMatchObject({ code: 4002 });
  expect(server.accepted).toHaveLength(3);
});

test('a Close frame without a code is 1005, and it comes back', async () => {
  const server = await serveRaw((socket) => {
    if (server.upgrades === 1) socket.write(frame('close'));
  });
  const ws = connectTo(server.url);
  const [loss] = await once(ws, 'disconnect');
  expect([loss.code, loss.reason, loss.fault.code]).toEqual([1005, '', 'WS_1005']);
  await once(ws, 'reconnect');
});

test('no Close frame at all is 1006, and it comes back', async () => {
  const server = await serveRaw((socket) => {
    if (server.upgrades === 1) socket.end();
  });
  const ws = connectTo(server.url);
  const [loss] = await once(ws, 'disconnect');
  expect([loss.code, loss.fault.code, loss.fault.ending]).toEqual([1006, 'ECONNRESET', 'fin']);
  await once(ws, 'reconnect');
});

test.each([1004, 1005, 1006, 1015, 1016, 2999, 5000, 0])('a Close frame with %i, which must not be sent, is an error of the protocol', async (code) => {
  const server = await serveRaw((socket) => socket.write(frame('close', closing(code))));
  const { code: closed, fault } = await ended(connectTo(server.url, { reconnect: false }));
  expect([closed === 1002 || closed === 1006, fault.kind]).toEqual([true, 'protocol']);
});

/** By status: whether another attempt follows. */
const STATUSES = {
  200: FINAL, 204: FINAL, 301: FINAL, 307: FINAL,
  400: FINAL, 401: FINAL, 403: FINAL, 404: FINAL, 405: FINAL, 407: FINAL, 408: BACK, 409: FINAL, 410: FINAL, 421: FINAL, 422: FINAL,
  425: BACK, 426: FINAL, 429: BACK, 431: FINAL, 451: FINAL,
  500: BACK, 501: BACK, 502: BACK, 503: BACK, 504: BACK, 505: BACK, 511: BACK, 520: BACK, 599: BACK,
};

/** Answers the first handshake with a status, and then as it should. */
async function answeringOnce(status, headers = {}) {
  const good = await serve();
  const server = http.createServer();
  let asked = 0;
  server.on('upgrade', (request, socket, head) => {
    if (asked++ > 0) good.server.emit('upgrade', request, socket, head);
    else {
      const lines = Object.entries({ 'Content-Length': 0, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.end(`HTTP/1.1 ${status} Whatever\r\n${lines.join('')}\r\n`);
    }
  });
  servers.add(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `ws://127.0.0.1:${server.address().port}`, asked: () => asked };
}

test.each(Object.entries(STATUSES))('a handshake that is answered with %s %s', async (status, follows) => {
  const server = await answeringOnce(status);
  const ws = connectTo(server.url);
  const told = record(ws);
  if (follows === BACK) {
    await once(ws, 'open');
    expect(told.map(([name]) => name)).toEqual(['reconnecting', 'open']);
    expect(told[0][1]).toMatchObject({ attempt: 1, fault: { code: `HTTP_${status}`, phase: 'handshake' } });
    return;
  }
  const { code, error, fault } = await ended(ws);
  expect([code, error.message, fault.status]).toEqual([1006, `Unexpected server response: ${status}`, Number(status)]);
  expect([error.gaveUp, server.asked()]).toEqual(['not-transient', 1]);
});

test('Retry-After is obeyed', async () => {
  const server = await answeringOnce(503, { 'Retry-After': 1 });
  const ws = connectTo(server.url);
  const [{ delay, fault }] = await once(ws, 'reconnecting');
  expect([fault.retryAfter, delay >= 1000]).toEqual([1000, true]);
  await once(ws, 'open');
});

test('shouldReconnect is asked about handshakes as well', async () => {
  const server = await answeringOnce(401);
  const asked = [];
  const ws = connectTo(server.url, {
    shouldReconnect: async ({ code }, { status }) => {
      asked.push([code, status]);
      return true;
    },
  });
  await once(ws, 'open');
  expect(asked).toEqual([[1006, 401]]);
});

'use strict';

const net = require('node:net');
const { once } = require('node:events');

const { fetch, createFetch } = require('../../..');
const { closeAll, inTurn, ok, openBlackHole, partial, reply, silence, startOrigin } = require('../../../testing');
const { caught } = require('../../support/fetch-outcomes');

/** Milliseconds: long enough to be told from 0, short enough to wait for. */
const SHORT = 80;
/** What no test takes: a limit that is not the one under test. */
const LONG = 25_000;
const QUICK = { backoff: { base: 1, cap: 2 } };

afterEach(closeAll);

async function timedOut(call) {
  const began = performance.now();
  const error = await caught(call);
  const took = performance.now() - began;
  expect(error).toMatchObject({ name: 'TypeError', code: 'ETIMEDOUT' });
  expect(error.cause).toMatchObject({ name: 'FaultError', code: 'ETIMEDOUT', kind: 'timeout', reason: expect.any(String) });
  // Timers may ring a little early, and late on a busy machine.
  expect(took).toBeGreaterThan(SHORT * 0.9);
  expect(took).toBeLessThan(LONG / 2);
  return error;
}

describe('timeout.connect', () => {
  test('a connection that neither succeeds nor fails', async () => {
    const hole = await openBlackHole();
    try {
      const call = fetch(`http://127.0.0.1:${hole.port}`, { timeout: { connect: SHORT }, retry: false });
      const { cause } = await timedOut(call);
      expect(cause).toMatchObject({ phase: 'connect', delivery: 'not-sent', address: '127.0.0.1', port: hole.port });
    } finally {
      await hole.close();
    }
  });

  test('a TLS handshake that is not answered', async () => {
    const server = net.createServer((socket) => socket.on('error', () => {}).resume()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    const call = fetch(`https://127.0.0.1:${port}`, { method: 'POST', body: 'b', timeout: { connect: SHORT }, retry: { ...QUICK, retries: 1 } });
    const error = await timedOut(call);
    expect(error.cause).toMatchObject({ phase: 'handshake', delivery: 'not-sent', port });
    // Nothing was sent, so even a POST is repeated.
    expect(error.recovery.attempts).toHaveLength(2);
    server.close();
    await once(server, 'close');
  });

  test('does not limit the answer', async () => {
    const origin = await startOrigin((request, response) => {
      setTimeout(ok, SHORT * 3, request, response);
    });
    expect((await fetch(origin.url, { timeout: { connect: SHORT } })).status).toBe(200);
  });
});

describe('timeout.headers', () => {
  test('an answer that does not begin', async () => {
    const origin = await startOrigin(silence);
    const { cause } = await timedOut(fetch(origin.url, { timeout: { headers: SHORT }, retry: false }));
    expect(cause).toMatchObject({ phase: 'wait', delivery: 'unknown', address: '127.0.0.1', port: origin.port });
    await (await origin.received(0)).closed;
  });

  test('is a fault like others: a GET is repeated', async () => {
    const origin = await startOrigin(inTurn(silence, ok));
    const response = await fetch(origin.url, { timeout: { headers: SHORT }, retry: QUICK });
    expect(await response.text()).toBe('ok');
    expect(response.recovery.attempts[0].fault).toMatchObject({ code: 'ETIMEDOUT', phase: 'wait' });
  });

  test('and a POST is not', async () => {
    const origin = await startOrigin(silence);
    const error = await timedOut(fetch(origin.url, { method: 'POST', timeout: { headers: SHORT }, retry: QUICK }));
    expect(error.recovery.gaveUp).toBe('not-idempotent');
    expect(origin.requests).toHaveLength(1);
  });

  test('does not limit the body', async () => {
    const later = (request, response) => setTimeout(() => response.end('!'), SHORT * 3);
    const origin = await startOrigin(partial(later, { headers: {} }));
    expect(await (await fetch(origin.url, { timeout: { headers: SHORT } })).text()).toBe('partial!');
  });

  test('does not limit a slow upload', async () => {
    const origin = await startOrigin(ok);
    const body = async function* slow() {
      yield 'a';
      await new Promise((resolve) => {
        setTimeout(resolve, SHORT * 3);
      });
      yield 'b';
    };
    const response = await fetch(origin.url, { method: 'POST', body: body(), duplex: 'half', timeout: { headers: SHORT } });
    expect(response.status).toBe(200);
    expect(origin.requests[0].body.toString()).toBe('ab');
  });
});

describe('timeout.body', () => {
  const stalled = partial(silence);

  test.each([
    ['text()', (response) => response.text()],
    ['the stream', async ({ body }) => {
      for await (const chunk of body) expect(Buffer.from(chunk).toString()).toBe('partial');
    }],
  ])('a body that stalls, read as %s', async (name, read) => {
    const origin = await startOrigin(stalled);
    const response = await fetch(origin.url, { timeout: { body: SHORT }, retry: false });
    const error = await timedOut(read(response));
    expect(error.message).toBe('terminated');
    expect(error.cause).toMatchObject({ phase: 'receive', delivery: 'answered' });
    expect(error.recovery.attempts).toMatchObject([{ fault: { code: 'ETIMEDOUT', phase: 'receive' }, delay: 0 }]);
    await (await origin.received(0)).closed;
  });

  test('is about silence, not about the whole', async () => {
    const PIECES = 6;
    const limit = 1000;
    const origin = await startOrigin((request, response) => {
      let sent = 0;
      const timer = setInterval(() => {
        response.write('.');
        sent += 1;
        if (sent < PIECES) return;
        clearInterval(timer);
        response.end();
      }, limit / 4);
    });
    expect(await (await fetch(origin.url, { timeout: { body: limit } })).text()).toBe('.'.repeat(PIECES));
  });

  test('is not about a reader who takes his time', async () => {
    const body = Buffer.alloc(4 * 1024 * 1024, 'x');
    const origin = await startOrigin(reply(200, {}, body));
    const { body: stream } = await fetch(origin.url, { timeout: { body: SHORT } });
    let size = 0;
    let waited = false;
    for await (const chunk of stream) {
      size += chunk.length;
      if (waited) continue;
      waited = true;
      await new Promise((resolve) => {
        setTimeout(resolve, SHORT * 4);
      });
    }
    expect(size).toBe(body.length);
  });
});

describe('timeout.attempt', () => {
  test('ends one attempt, and the next one gets the same time', async () => {
    const origin = await startOrigin(inTurn(silence, silence, ok));
    const response = await fetch(origin.url, { timeout: { attempt: SHORT }, retry: QUICK });
    expect(await response.text()).toBe('ok');
    const faults = response.recovery.attempts.slice(0, 2).map(({ fault }) => fault);
    for (const fault of faults) {
      expect(fault).toMatchObject({ code: 'ETIMEDOUT', phase: 'wait', delivery: 'unknown' });
    }
    expect(origin.requests).toHaveLength(3);
  });

  test('counts the upload too', async () => {
    const origin = await startOrigin(silence, { readBody: false });
    const body = new ReadableStream({
      async pull(controller) {
        await new Promise((resolve) => {
          setTimeout(resolve, SHORT / 4);
        });
        controller.enqueue(new Uint8Array(10));
      },
    });
    const init = { method: 'POST', body, duplex: 'half', timeout: { attempt: SHORT }, retry: QUICK };
    const error = await timedOut(fetch(origin.url, init));
    expect(error.cause).toMatchObject({ phase: 'send', delivery: 'unknown' });
    expect(error.recovery.gaveUp).toBe('not-idempotent');
  });

  test('does not limit the body', async () => {
    const later = (request, response) => setTimeout(() => response.end('!'), SHORT * 3);
    const origin = await startOrigin(partial(later, { headers: {} }));
    expect(await (await fetch(origin.url, { timeout: { attempt: SHORT } })).text()).toBe('partial!');
  });
});

describe('timeout.total', () => {
  test('ends the call, whatever is left of the retries', async () => {
    const origin = await startOrigin(silence);
    const timeout = { attempt: SHORT, total: SHORT * 4 };
    const error = await timedOut(fetch(origin.url, { timeout, retry: { ...QUICK, retries: 1000 } }));
    expect(error.recovery.gaveUp).toBe('out-of-time');
    expect(error.recovery.attempts.length).toBeGreaterThan(1);
    expect(origin.requests.length).toBeLessThanOrEqual(4);
  });

  test('alone: one attempt takes all of it', async () => {
    const origin = await startOrigin(silence);
    const error = await timedOut(fetch(origin.url, { timeout: { total: SHORT } }));
    expect(error.cause).toMatchObject({ phase: 'wait', delivery: 'unknown' });
    expect(error.recovery).toMatchObject({ gaveUp: 'out-of-time', attempts: [{ delay: 0 }] });
    expect(origin.requests).toHaveLength(1);
  });

  test('counts waits: one that would end too late is not begun', async () => {
    const origin = await startOrigin(reply(503, { 'retry-after': '5' }, 'busy'));
    const response = await fetch(origin.url, { timeout: { total: 1000 } });
    expect(await response.text()).toBe('busy');
    expect(response.recovery.gaveUp).toBe('out-of-time');
  });

  test('counts the hooks', async () => {
    const origin = await startOrigin(reply(503));
    const onRetry = () => new Promise(() => {});
    const error = await timedOut(fetch(origin.url, { timeout: { total: SHORT }, retry: { ...QUICK, onRetry } }));
    expect(error.recovery.gaveUp).toBe('out-of-time');
  });
});

describe('no limit', () => {
  const slow = (request, response) => setTimeout(ok, SHORT * 4, request, response);
  const limited = createFetch({ timeout: { headers: SHORT, attempt: SHORT, total: SHORT }, retry: false });

  test('the limits of the client end this call', async () => {
    await timedOut(limited((await startOrigin(slow)).url));
  });

  test.each([false, Infinity])('%p takes them away', async (none) => {
    const origin = await startOrigin(slow);
    const timeout = { connect: none, headers: none, body: none, attempt: none, total: none };
    expect((await limited(origin.url, { timeout })).status).toBe(200);
  });

  test.each(['headers', 'attempt', 'total'])('each by itself: the other two still hold (%s)', async (lifted) => {
    const origin = await startOrigin(slow);
    await timedOut(limited(origin.url, { timeout: { [lifted]: false } }));
  });

  test('the other way round: a call limits itself', async () => {
    const unlimited = createFetch({ timeout: { headers: false, total: Infinity }, retry: false });
    await timedOut(unlimited((await startOrigin(slow)).url, { timeout: { total: SHORT } }));
  });
});

'use strict';

const { fetch, createFetch } = require('../../..');
const { FaultProxy, closeAll, fin, inTurn, ok, reply, rst, startOrigin } = require('../../../testing');
const { caught, codesOf } = require('../../support/fetch-outcomes');

/** Waits too short to notice. */
const QUICK = { backoff: { base: 1, cap: 2 } };

afterEach(closeAll);

describe('a connection that ends before the answer', () => {
  test.each([
    ['RST', rst, 'rst'],
    ['FIN', fin, 'fin'],
  ])('%s: the call is made again, and says so', async (name, fault, ending) => {
    const origin = await startOrigin(inTurn(fault, fault, ok));
    const response = await fetch(origin.url, { retry: QUICK });
    expect(await response.text()).toBe('ok');
    expect(origin.requests).toHaveLength(3);

    const { attempts, resumed, bytesRefetched, gaveUp } = response.recovery;
    expect(attempts).toHaveLength(3);
    for (const { fault: told } of attempts.slice(0, 2)) {
      expect(told).toMatchObject({
        code: 'ECONNRESET', kind: 'reset', phase: 'wait', delivery: 'unknown', transient: true, ending,
        address: '127.0.0.1', port: origin.port, reason: expect.any(String),
      });
    }
    expect(attempts[2].fault).toBeNull();
    expect(attempts[0].delay).toBe(0);
    for (const { delay } of attempts.slice(1)) {
      expect(delay).toBeGreaterThanOrEqual(0);
      expect(delay).toBeLessThanOrEqual(2);
    }
    expect({ resumed, bytesRefetched, gaveUp }).toEqual({ resumed: 0, bytesRefetched: 0, gaveUp: undefined });
  });

  test.each(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])('%s is repeated', async (method) => {
    const origin = await startOrigin(inTurn(rst, reply(204)));
    const body = method === 'PUT' ? 'whole' : undefined;
    const response = await fetch(origin.url, { method, body, retry: QUICK });
    expect(response.status).toBe(204);
    expect(origin.requests.map((request) => [request.method, request.body.toString()])).toEqual(
      [[method, body ?? ''], [method, body ?? '']],
    );
  });

  test.each(['POST', 'PATCH', 'PROPFIND'])('%s is not: the server may have acted', async (method) => {
    let effects = 0;
    const origin = await startOrigin((request, response) => {
      effects += 1;
      rst(request, response);
    });
    const error = await caught(fetch(origin.url, { method, body: 'charge 10', retry: QUICK }));
    expect(effects).toBe(1);
    expect(error).toMatchObject({ code: 'ECONNRESET', recovery: { gaveUp: 'not-idempotent' } });
    expect(error.cause.delivery).toBe('unknown');
    expect(codesOf(error.recovery)).toEqual(['ECONNRESET']);
  });

  test('POST with an Idempotency-Key is, with the same key', async () => {
    const origin = await startOrigin(inTurn(rst, ok));
    const headers = { 'Idempotency-Key': 'one-of-a-kind' };
    await fetch(origin.url, { method: 'POST', body: 'charge 10', headers, retry: QUICK });
    expect(origin.requests.map((request) => [request.headers['idempotency-key'], request.body.toString()])).toEqual(
      [['one-of-a-kind', 'charge 10'], ['one-of-a-kind', 'charge 10']],
    );
  });

  test('retry.methods replaces the methods that may be repeated', async () => {
    const retry = { ...QUICK, methods: ['POST'] };
    const posted = await startOrigin(inTurn(rst, ok));
    expect((await fetch(posted.url, { method: 'POST', retry })).status).toBe(200);
    const got = await startOrigin(inTurn(rst, ok));
    await expect(fetch(got.url, { retry })).rejects.toMatchObject({ recovery: { gaveUp: 'not-idempotent' } });
    expect(got.requests).toHaveLength(1);
  });

  test('POST that was refused is repeated: not one byte had left', async () => {
    const origin = await startOrigin();
    const proxy = await FaultProxy.listen({ upstream: origin.port });
    const outage = proxy.add({ type: 'refuse', on: 'accept' });
    const onRetry = ({ fault }) => {
      expect(fault).toMatchObject({ code: 'ECONNREFUSED', kind: 'refused', phase: 'connect', delivery: 'not-sent' });
      outage.remove();
    };
    const response = await fetch(proxy.url(), { method: 'POST', body: 'b', retry: { ...QUICK, onRetry } });
    expect(await response.text()).toBe('ok');
    expect(codesOf(response.recovery)).toEqual(['ECONNREFUSED', null]);
    expect(origin.requests.map(({ body }) => body.toString())).toEqual(['b']);
  });
});

describe('a kept connection that has died', () => {
  /** Answers the first request of each connection and resets it at the second. */
  const onceEach = (request, response) => (request.onConnection === 1 ? ok : rst)(request, response);

  test('is replaced at once, without a wait and without using up a retry', async () => {
    const origin = await startOrigin(onceEach);
    // The wait would be long, were there one.
    const client = createFetch({ retry: { retries: 1, backoff: { base: 60_000, cap: 60_000 }, within: 3_600_000 } });
    let replaced = 0;
    // Whether a call finds the connection of the one before it is up to the pool.
    while (replaced < 3) {
      const response = await client(origin.url);
      expect(await response.text()).toBe('ok');
      const { attempts } = response.recovery;
      if (attempts.length === 1) continue;
      replaced += 1;
      expect(attempts).toEqual([
        { fault: expect.objectContaining({ code: 'ECONNRESET', delivery: 'unknown' }), delay: 0 },
        { fault: null, delay: 0 },
      ]);
    }
  });

  test('is not, for a call that must not be repeated', async () => {
    const origin = await startOrigin(onceEach);
    const client = createFetch();
    for (;;) {
      await (await client(origin.url)).text();
      const before = origin.requests.length;
      const settled = await client(origin.url, { method: 'POST', body: 'b' }).catch((error) => error);
      expect(origin.requests).toHaveLength(before + 1);
      if (settled instanceof Response) continue;
      expect(settled).toMatchObject({ code: 'ECONNRESET', recovery: { gaveUp: 'not-idempotent' } });
      return;
    }
  });

  test('is not, when retrying is switched off', async () => {
    const origin = await startOrigin(onceEach);
    const client = createFetch({ retry: false });
    for (;;) {
      await (await client(origin.url)).text();
      const settled = await client(origin.url).catch((error) => error);
      if (settled instanceof Response) continue;
      expect(settled.recovery).toMatchObject({ gaveUp: 'attempts-exhausted', attempts: [{ delay: 0 }] });
      return;
    }
  });
});

describe('an answer that asks for another attempt', () => {
  const REPEATED = { GET: [408, 425, 429, 500, 502, 503, 504], PUT: [408, 425, 429, 502, 503, 504], POST: [425] };
  const ALL = [400, 401, 404, 408, 409, 425, 429, 500, 501, 502, 503, 504, 505];
  const rows = Object.keys(REPEATED).flatMap((method) => ALL.map((status) => [method, status]));

  test.each(rows)('%s %i', async (method, status) => {
    const origin = await startOrigin(inTurn(reply(status, {}, 'first'), reply(200, {}, 'second')));
    const response = await fetch(origin.url, { method, retry: QUICK });
    const repeated = REPEATED[method].includes(status);
    expect(await response.text()).toBe(repeated ? 'second' : 'first');
    expect(origin.requests).toHaveLength(repeated ? 2 : 1);
    if (repeated) {
      expect(response.recovery.attempts[0].fault).toMatchObject({ code: `HTTP_${status}`, status, delivery: 'answered' });
    }
  });

  test('retry.statuses replaces the list', async () => {
    const retry = { ...QUICK, statuses: [404] };
    const found = await startOrigin(inTurn(reply(404), ok));
    expect((await fetch(found.url, { retry })).status).toBe(200);
    const busy = await startOrigin(inTurn(reply(503), ok));
    expect((await fetch(busy.url, { retry })).status).toBe(503);
  });

  test('when the retries run out, the last answer is given as it is', async () => {
    const origin = await startOrigin((request, response) => reply(503, { 'x-try': request.index }, `no ${request.index}`)(request, response));
    const response = await fetch(origin.url, { retry: { ...QUICK, retries: 2 } });
    expect(response.status).toBe(503);
    expect(response.headers.get('x-try')).toBe('2');
    expect(await response.text()).toBe('no 2');
    expect(codesOf(response.recovery)).toEqual(['HTTP_503', 'HTTP_503', 'HTTP_503']);
    expect(response.recovery.gaveUp).toBe('attempts-exhausted');
  });

  test('Retry-After is waited for', async () => {
    const times = [];
    const origin = await startOrigin((request, response) => {
      times.push(performance.now());
      inTurn(reply(503, { 'retry-after': '1' }), ok)(request, response);
    });
    const response = await fetch(origin.url, { retry: QUICK });
    expect(response.recovery.attempts[0].fault).toMatchObject({ kind: 'throttled', retryAfter: 1000 });
    expect(response.recovery.attempts[1].delay).toBe(1000);
    // Timers may ring a little early.
    expect(times[1] - times[0]).toBeGreaterThan(990);
  });

  test('a Retry-After that is too long ends it: the answer is given as it is', async () => {
    const origin = await startOrigin(reply(503, { 'retry-after': '120' }, 'later'));
    const response = await fetch(origin.url);
    expect(response.status).toBe(503);
    expect(await response.text()).toBe('later');
    expect(response.recovery).toMatchObject({ gaveUp: 'retry-after-too-long', attempts: [{ delay: 0 }] });
    expect(origin.requests).toHaveLength(1);
  });

  test('retry.within says what is too long', async () => {
    const origin = await startOrigin(reply(429, { 'retry-after': '2' }));
    const response = await fetch(origin.url, { retry: { within: 1000 } });
    expect(response.recovery.gaveUp).toBe('retry-after-too-long');
  });

  test('respectRetryAfter: false does not wait for it', async () => {
    const origin = await startOrigin(inTurn(reply(503, { 'retry-after': '120' }), ok));
    const response = await fetch(origin.url, { retry: { ...QUICK, respectRetryAfter: false } });
    expect(response.status).toBe(200);
    expect(response.recovery.attempts[1].delay).toBeLessThanOrEqual(2);
  });
});

describe('how often', () => {
  test.each([
    ['by default', undefined, 4],
    ['retries: 0', { ...QUICK, retries: 0 }, 1],
    ['retries: 1', { ...QUICK, retries: 1 }, 2],
    ['retry: false', false, 1],
    ['retry: 0', 0, 1],
    ['retry: 2', 2, 3],
  ])('%s', async (name, retry, attempts) => {
    const origin = await startOrigin(rst);
    // Of its own, so that the waits are short: the options of a call are laid over those of its client.
    const error = await caught(createFetch({ retry: QUICK })(origin.url, { retry }));
    expect(origin.requests).toHaveLength(attempts);
    expect(error.recovery.attempts).toHaveLength(attempts);
    expect(error.recovery.gaveUp).toBe('attempts-exhausted');
  });

  test('within: no attempt begins later', async () => {
    const origin = await startOrigin(rst);
    const retry = { retries: 1000, within: 200, backoff: { base: 20, cap: 20 } };
    const began = performance.now();
    const error = await caught(fetch(origin.url, { retry }));
    expect(error.recovery.gaveUp).toBe('out-of-time');
    expect(origin.requests.length).toBeGreaterThan(1);
    expect(performance.now() - began).toBeLessThan(2000);
  });

  test('a budget that is used up', async () => {
    const origin = await startOrigin(rst);
    // One retry in ten seconds, whatever the number of calls.
    const client = createFetch({ retry: { ...QUICK, budget: { ratio: 0, perSecond: 0.1 } } });
    const first = await caught(client(origin.url));
    expect(first.recovery).toMatchObject({ gaveUp: 'budget-exhausted', attempts: [{}, {}] });
    const second = await caught(client(origin.url));
    expect(second.recovery).toMatchObject({ gaveUp: 'budget-exhausted', attempts: [{}] });
    expect(origin.requests).toHaveLength(3);
    // It is each origin's own, and each client's.
    const other = await startOrigin(inTurn(rst, ok));
    expect((await client(other.url)).status).toBe(200);
    expect((await caught(createFetch({ retry: QUICK })(origin.url))).recovery.attempts).toHaveLength(4);
  });

  test('budget: false has no limit', async () => {
    const origin = await startOrigin(rst);
    const client = createFetch({ retry: { ...QUICK, budget: { ratio: 0, perSecond: 0 } } });
    const error = await caught(client(origin.url, { retry: { retries: 150, budget: false } }));
    expect(error.recovery).toMatchObject({ gaveUp: 'attempts-exhausted' });
    expect(origin.requests).toHaveLength(151);
  });
});

describe('the error of a call that could not be saved', () => {
  test('is a TypeError like that of the built-in fetch, which tells more', async () => {
    const origin = await startOrigin(rst);
    const error = await caught(fetch(origin.url, { retry: { ...QUICK, retries: 1 } }));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toBe('fetch failed');
    expect(error.code).toBe('ECONNRESET');
    expect(Object.keys(error).sort()).toEqual(['code', 'recovery']);

    const { cause } = error;
    expect(cause).toBeInstanceOf(Error);
    expect(cause.name).toBe('FaultError');
    expect({ ...cause }).toMatchObject({
      code: 'ECONNRESET', kind: 'reset', phase: 'wait', delivery: 'unknown', transient: true, reconnect: true,
      ending: 'rst', address: '127.0.0.1', port: origin.port, errno: -104, syscall: 'read', reason: expect.any(String),
    });
    expect(cause.message).toContain(`read ECONNRESET 127.0.0.1:${origin.port}`);

    expect(error.recovery).toMatchObject({ gaveUp: 'attempts-exhausted', resumed: 0, bytesRefetched: 0 });
    expect(codesOf(error.recovery)).toEqual(['ECONNRESET', 'ECONNRESET']);
    // The last fault of the recovery is the one that is thrown.
    const last = error.recovery.attempts.at(-1).fault;
    for (const field of Object.keys(last)) expect(cause[field]).toEqual(last[field]);
  });

  test('its stack shows who called, and not the machinery', async () => {
    const origin = await startOrigin(rst);
    const error = await caught(fetch(origin.url, { retry: false }));
    for (const { name, stack } of [error, error.cause]) {
      const [first, ...frames] = stack.split('\n');
      expect(first).toMatch(new RegExp(`^${name}: `));
      expect(frames[0]).toContain(__filename);
      expect(frames.filter((frame) => frame.includes('/lib/fetch/'))).toEqual([]);
    }
  });
});

test('a thousand calls, a third of them reset, all succeed', async () => {
  let count = 0;
  const origin = await startOrigin((request, response) => {
    count += 1;
    return (count % 3 === 0 ? rst : ok)(request, response);
  });
  const client = createFetch({ retry: { retries: 20, ...QUICK, budget: false } });
  const texts = [];
  for (let round = 0; round < 20; round++) {
    texts.push(...await Promise.all(Array.from({ length: 50 }, async () => (await client(origin.url)).text())));
  }
  expect(texts).toHaveLength(1000);
  expect(new Set(texts)).toEqual(new Set(['ok']));
});


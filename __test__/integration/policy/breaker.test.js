'use strict';

const { createFetch, createPolicy, retry } = require('../../..');
const { closeAll, inTurn, ok, refusedPort, reply, rst, silence, startOrigin } = require('../../../testing');
const { caught } = require('../../support/fetch-outcomes');

/** Opens at the second failure of two attempts. */
const BREAKER = { minCalls: 2, failureRate: 1, openFor: 60_000 };
const ONCE = { retries: 0, breaker: BREAKER };

afterEach(closeAll);

const reset = () => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', errno: -104, syscall: 'read' });

/** The next event of this name. */
const next = (policy, name) => new Promise((resolve) => {
  policy.once(name, resolve);
});

describe('fetch', () => {
  test('an origin that resets is refused, without a connection', async () => {
    const origin = await startOrigin(rst);
    const client = createFetch({ retry: ONCE });
    await caught(client(origin.url));
    await caught(client(origin.url));
    const error = await caught(client(origin.url));
    expect(origin.requests).toHaveLength(2);
    expect(error).toMatchObject({
      name: 'TypeError',
      code: 'ERR_BREAKER_OPEN',
      cause: { kind: 'refused', phase: 'connect', delivery: 'not-sent', transient: true, retryAfter: expect.any(Number) },
      recovery: { attempts: [], gaveUp: 'breaker-open' },
    });
    expect(error.cause.retryAfter).toBeGreaterThan(50_000);
  });

  test('a call that is refused gave up', async () => {
    const origin = await startOrigin(rst);
    const policy = createPolicy(ONCE);
    const client = createFetch({ retry: policy });
    await caught(client(origin.url));
    await caught(client(origin.url));
    const gaveUp = next(policy, 'gave-up');
    await caught(client(origin.url));
    expect(await gaveUp).toMatchObject({ fault: { code: 'ERR_BREAKER_OPEN' }, gaveUp: 'breaker-open' });
  });

  test('another origin is not', async () => {
    const [broken, sound] = [await startOrigin(rst), await startOrigin(ok)];
    const client = createFetch({ retry: ONCE });
    await caught(client(broken.url));
    await caught(client(broken.url));
    expect((await client(sound.url)).status).toBe(200);
  });

  test('a 4xx never opens it, whatever it asks for', async () => {
    const origin = await startOrigin(inTurn(...Array(6).fill(reply(429)), ...Array(6).fill(reply(404))));
    const client = createFetch({ retry: ONCE });
    for (let call = 0; call < 12; call += 1) await client(origin.url);
    expect(origin.requests).toHaveLength(12);
  });

  test('it closes when a probe is answered; each change is told, in order', async () => {
    const origin = await startOrigin(inTurn(rst, rst, ok));
    const policy = createPolicy({ retries: 0, breaker: { ...BREAKER, openFor: 30 } });
    const told = [];
    policy.on('breaker', (message) => told.push(message));
    const client = createFetch({ retry: policy });
    const opened = next(policy, 'breaker');
    await caught(client(origin.url));
    await caught(client(origin.url));
    const { retryIn } = await opened;
    expect(retryIn).toBe(30);
    const closed = new Promise((resolve) => {
      policy.on('breaker', ({ to }) => to === 'closed' && resolve());
    });
    // `retry` waits for as long as the breaker says.
    const response = await retry(() => client(origin.url), { retries: 10, backoff: { base: 1, cap: 1 } });
    await closed;
    expect(response.status).toBe(200);
    expect(told.map(({ origin: where, from, to }) => [where, from, to])).toEqual([
      [origin.url, 'closed', 'open'], [origin.url, 'open', 'half-open'], [origin.url, 'half-open', 'closed'],
    ]);
  });

  test('a status that is no answer opens it, and the caller has that status', async () => {
    const origin = await startOrigin(reply(503));
    const client = createFetch({ retry: ONCE });
    expect((await client(origin.url)).status).toBe(503);
    expect((await client(origin.url)).status).toBe(503);
    expect((await caught(client(origin.url))).code).toBe('ERR_BREAKER_OPEN');
  });
});

describe('one policy for several clients', () => {
  test('what fails in one of them is refused in the other, both ways', async () => {
    const origin = await startOrigin(rst);
    const policy = createPolicy(ONCE);
    const client = createFetch({ retry: policy });
    const own = { policy, origin: origin.url };
    await caught(client(origin.url));
    expect((await caught(retry(() => Promise.reject(reset()), own))).code).toBe('ECONNRESET');
    expect((await caught(client(origin.url))).code).toBe('ERR_BREAKER_OPEN');
    const fn = jest.fn();
    expect(await caught(retry(fn, own))).toMatchObject({
      name: 'FaultError', code: 'ERR_BREAKER_OPEN', delivery: 'not-sent', recovery: { attempts: [], gaveUp: 'breaker-open' },
    });
    expect(fn).not.toHaveBeenCalled();
    expect(origin.requests).toHaveLength(1);
  });

  test('they share the budget, and count together', async () => {
    const port = await refusedPort();
    const url = `http://127.0.0.1:${port}`;
    const policy = createPolicy({ retries: 5, backoff: { base: 1, cap: 1 }, budget: { ratio: 0, perSecond: 0.3 } });
    const client = createFetch({ retry: policy });
    const error = await caught(client(url));
    expect(error.recovery).toMatchObject({ gaveUp: 'budget-exhausted' });
    expect(error.recovery.attempts).toHaveLength(4);
    const other = await caught(retry(() => Promise.reject(reset()), { policy, origin: url }));
    expect(other.recovery).toMatchObject({ gaveUp: 'budget-exhausted' });
    expect(other.recovery.attempts).toHaveLength(1);
    expect(policy.stats()).toEqual({
      [url]: { calls: 2, retries: 3, recovered: 0, gaveUp: 2, refused: 0, budget: 0, breaker: null },
    });
  });

  test('stats tell what became of calls, and the state of the breaker', async () => {
    const origin = await startOrigin(inTurn(rst, ok, ok, rst));
    const policy = createPolicy({ retries: 1, backoff: { base: 1, cap: 1 }, budget: false, breaker: { minCalls: 6, failureRate: 0.5 } });
    const client = createFetch({ retry: policy });
    await client(origin.url);
    await client(origin.url);
    expect(policy.stats()[origin.url]).toEqual({
      calls: 2, retries: 1, recovered: 1, gaveUp: 0, refused: 0, budget: null, breaker: 'closed',
    });
    await caught(client(origin.url));
    await caught(client(origin.url));
    expect((await caught(client(origin.url))).code).toBe('ERR_BREAKER_OPEN');
    expect(policy.stats()[origin.url]).toMatchObject({ calls: 5, recovered: 1, gaveUp: 3, refused: 2, breaker: 'open' });
  });
});

describe('retry', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  const failing = () => Promise.reject(reset());

  test('the clock is the one of the timers: open for exactly so long, then one probe at a time', async () => {
    const policy = createPolicy({ retries: 0, breaker: { minCalls: 2, failureRate: 1, openFor: 5_000, probes: 1 } });
    const told = [];
    policy.on('breaker', ({ to }) => told.push(to));
    const call = (fn) => caught(retry(fn, policy));
    await call(failing);
    await call(failing);
    expect(told).toEqual(['open']);
    jest.advanceTimersByTime(4_999);
    expect((await call(failing)).code).toBe('ERR_BREAKER_OPEN');
    jest.advanceTimersByTime(1);
    let answer;
    const probe = retry(() => new Promise((resolve) => {
      answer = resolve;
    }), policy);
    expect(told).toEqual(['open', 'half-open']);
    expect((await call(failing)).code).toBe('ERR_BREAKER_OPEN');
    answer(7);
    expect(await probe).toBe(7);
    expect(told).toEqual(['open', 'half-open', 'closed']);
  });

  test('an aborted probe leaves its place to the next at once', async () => {
    const policy = createPolicy({ retries: 0, breaker: { minCalls: 1, failureRate: 1, openFor: 5_000, probes: 1 } });
    await caught(retry(failing, policy));
    jest.advanceTimersByTime(5_000);
    const controller = new AbortController();
    const probe = caught(retry(() => new Promise(() => {}), { policy, signal: controller.signal }));
    controller.abort();
    await probe;
    expect(await retry(() => 7, policy)).toBe(7);
  });

  test('it ends the retrying of a call whose wait would be over too early', async () => {
    const policy = createPolicy({ retries: 10, backoff: { base: 1, cap: 1 }, breaker: { minCalls: 3, failureRate: 1 } });
    jest.useRealTimers();
    const fn = jest.fn(failing);
    const error = await caught(retry(fn, policy));
    expect(fn).toHaveBeenCalledTimes(3);
    expect(error).toMatchObject({ code: 'ECONNRESET', recovery: { gaveUp: 'breaker-open' } });
  });
});

test('an aborted call says nothing of the origin', async () => {
  const origin = await startOrigin(silence);
  const client = createFetch({ retry: ONCE });
  for (let call = 0; call < 4; call += 1) {
    const controller = new AbortController();
    const calling = caught(client(origin.url, { signal: controller.signal }));
    await origin.received(call);
    controller.abort();
    await calling;
  }
  expect(origin.requests).toHaveLength(4);
});

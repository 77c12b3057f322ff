'use strict';

/** What ends a call: the caller, its time, the budget, the breaker; and what the hooks are told. */

const { AsyncLocalStorage } = require('node:async_hooks');
const { once } = require('node:events');
const axios = require('axios');
const { createPolicy, wrapAxios } = require('../../..');
const { closeAll, inTurn, ok, partial, reply, rst, silence, startOrigin } = require('../../../testing');
const { ADAPTERS, QUICK, caught, codesOf, scripted, wrapped } = require('../../support/wrap-axios');

afterEach(closeAll);

/** A backoff that nobody waits for. */
const SLOW = { backoff: { base: 60_000, cap: 60_000 } };
const BUSY = reply(503, { 'retry-after': '30' });

describe.each(ADAPTERS)('an abort over the %s adapter', (adapter) => {
  const WAYS = [
    ['a signal', () => {
      const controller = new AbortController();
      return { config: { signal: controller.signal }, abort: () => controller.abort() };
    }],
    ['a cancel token', () => {
      const { token, cancel } = axios.CancelToken.source();
      return { config: { cancelToken: token }, abort: () => cancel('enough') };
    }],
    ['a signal beside a token', () => {
      const controller = new AbortController();
      return { config: { signal: controller.signal, cancelToken: axios.CancelToken.source().token }, abort: () => controller.abort() };
    }],
  ];

  test.each(WAYS)('by %s during an attempt', async (name, way) => {
    const origin = await startOrigin(silence);
    const { config, abort } = way();
    const call = caught(wrapped(QUICK, { adapter }).get(origin.url, config));
    await origin.received(0);
    abort();
    const error = await call;
    expect(error).toBeInstanceOf(axios.CanceledError);
    expect(axios.isCancel(error)).toBe(true);
    expect(error).toMatchObject({ code: 'ERR_CANCELED', recovery: { gaveUp: 'aborted' } });
    expect(origin.requests).toHaveLength(1);
  });

  test.each(WAYS)('by %s during the backoff ends it at once', async (name, way) => {
    const origin = await startOrigin(BUSY);
    const { config, abort } = way();
    const started = performance.now();
    const onRetry = () => setImmediate(abort);
    const error = await caught(wrapped({ onRetry }, { adapter }).get(origin.url, config));
    expect(error).toBeInstanceOf(axios.CanceledError);
    expect(error.message).toBe(name === 'a cancel token' ? 'enough' : 'canceled');
    expect(codesOf(error.recovery)).toEqual(['HTTP_503']);
    expect(error.recovery.gaveUp).toBe('aborted');
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(origin.requests).toHaveLength(1);
  });

  test('leaves no listener behind, nor does a call that succeeds', async () => {
    const origin = await startOrigin(inTurn(rst, ok, reply(503)));
    const { signal } = new AbortController();
    const listeners = { added: 0, removed: 0 };
    jest.spyOn(signal, 'addEventListener').mockImplementation(() => { listeners.added += 1; });
    jest.spyOn(signal, 'removeEventListener').mockImplementation(() => { listeners.removed += 1; });
    const { token } = axios.CancelToken.source();
    const client = wrapped({ retries: 1 }, { adapter });
    await client.get(origin.url, { signal, cancelToken: token });
    await caught(client.get(origin.url, { signal, cancelToken: token }));
    expect(listeners.added).toBeGreaterThan(0);
    expect(listeners.removed).toBe(listeners.added);
    expect(token._listeners).toEqual([]);
  });

  test('before the call makes none', async () => {
    const own = scripted(() => ({}));
    const error = await caught(wrapped(QUICK, { adapter: own }).get('/x', { signal: AbortSignal.abort() }));
    expect(error).toBeInstanceOf(axios.CanceledError);
    expect(own.seen).toEqual([]);
  });
});

describe.each(ADAPTERS)('timeout.total over the %s adapter', (adapter) => {
  const within = (total, retry = QUICK) => wrapped(retry, { adapter }, { timeout: { total } });

  test('ends the attempt that is running, with the error of axios\'s timeout', async () => {
    const origin = await startOrigin(silence);
    const error = await caught(within(100).get(origin.url));
    expect(error).toBeInstanceOf(axios.AxiosError);
    expect(error).toMatchObject({ code: 'ECONNABORTED', message: 'timeout of 100ms exceeded' });
    expect(axios.isCancel(error)).toBe(false);
    expect(error.recovery).toMatchObject({ attempts: [{ fault: { code: 'ETIMEDOUT', kind: 'timeout' } }], gaveUp: 'out-of-time' });
    const clear = await caught(within(50).get(origin.url, { transitional: { clarifyTimeoutError: true }, timeoutErrorMessage: 'too slow' }));
    expect(clear).toMatchObject({ code: 'ETIMEDOUT', message: 'too slow' });
  });

  test('covers the body, where axios\'s own over http is about silence', async () => {
    const origin = await startOrigin(partial((request, response) => {
      const timer = setInterval(() => response.write('.'), 10);
      response.on('close', () => clearInterval(timer));
    }, { headers: {} }));
    expect(await caught(within(100).get(origin.url))).toMatchObject({ code: 'ECONNABORTED' });
  });

  test('begins no wait that would outlast it', async () => {
    const origin = await startOrigin(reply(503, { 'retry-after': '2' }));
    const error = await caught(within(1000).get(origin.url));
    expect(error).toMatchObject({ status: 503, recovery: { attempts: [{ fault: { code: 'HTTP_503' } }] } });
    expect(['out-of-time', 'retry-after-too-long']).toContain(error.recovery.gaveUp);
    expect(origin.requests).toHaveLength(1);
  });

  test('leaves the caller\'s signal in the config, and heeds it', async () => {
    const origin = await startOrigin(inTurn(silence, ok));
    const controller = new AbortController();
    const call = caught(within(60_000).get(origin.url, { signal: controller.signal }));
    await origin.received(0);
    controller.abort();
    const error = await call;
    expect(error).toBeInstanceOf(axios.CanceledError);
    expect(error.config.signal).toBe(controller.signal);
    expect(error.recovery.gaveUp).toBe('aborted');
    const answered = await within(60_000).get(origin.url, { signal: new AbortController().signal });
    expect(answered.data).toBe('ok');
  });

  test('of a call goes before that of the instance', async () => {
    const origin = await startOrigin(silence);
    const error = await caught(within(60_000).get(origin.url, { unreset: { timeout: { total: 50 } } }));
    expect(error.message).toBe('timeout of 50ms exceeded');
  });

  test('ends with the answer; the caller may still abort a stream', async () => {
    const origin = await startOrigin(partial(() => {}));
    const controller = new AbortController();
    const { data } = await within(60_000).get(origin.url, { responseType: 'stream', signal: controller.signal });
    const failed = adapter === 'http' ? once(data, 'error') : new Response(data).text().catch((error) => [error]);
    controller.abort();
    expect((await failed)[0]).toBeInstanceOf(axios.CanceledError);
  });
});

describe('the policy', () => {
  test('its events tell method and URL, without the params a second time', async () => {
    const origin = await startOrigin(inTurn(rst, ok));
    const policy = createPolicy(QUICK);
    const told = [];
    for (const name of ['attempt', 'retry', 'recovered']) policy.on(name, (event) => told.push([name, event]));
    await wrapAxios(axios, { retry: policy }).get('/stock', { baseURL: `${origin.url}/api/`, params: { sku: 'bolt' } });
    const call = { surface: 'wrapAxios', origin: origin.url, method: 'GET', url: `${origin.url}/api/stock?sku=bolt` };
    expect(told.map(([name]) => name)).toEqual(['attempt', 'retry', 'attempt', 'recovered']);
    for (const [, event] of told) expect(event).toMatchObject(call);
  });

  test.each([
    ['http://Inventory:80/x', {}, 'http://inventory'],
    ['HTTPS://user:secret@inventory:8443/x?y', {}, 'https://inventory:8443'],
    ['/x', { baseURL: 'https://inventory/api' }, 'https://inventory'],
    ['http://elsewhere/x', { baseURL: 'https://inventory/api' }, 'http://elsewhere'],
    ['http://elsewhere/x', { baseURL: 'https://inventory/api', allowAbsoluteUrls: false }, 'https://inventory'],
    ['/x', { socketPath: '/run/inventory.sock' }, 'unix:/run/inventory.sock'],
    ['http://[::1]:8080', {}, 'http://[::1]:8080'],
    ['/x', {}, ''],
  ])('goes by the origin of %s', async (url, config, origin) => {
    const policy = createPolicy(QUICK);
    const told = jest.fn();
    policy.on('attempt', told);
    await wrapAxios(axios, { retry: policy }).get(url, { adapter: scripted(() => ({})), ...config });
    expect(told).toHaveBeenCalledWith(expect.objectContaining({ origin }));
  });

  test('its budget ends the retrying, for all clients that share it', async () => {
    const origin = await startOrigin(rst);
    const policy = createPolicy({ ...QUICK, budget: { ratio: 0, perSecond: 0.2 } });
    const first = await caught(wrapAxios(axios, { retry: policy }).get(origin.url));
    const second = await caught(wrapAxios(axios.create(), { retry: policy }).get(origin.url));
    expect([first, second].map(({ recovery }) => recovery.gaveUp)).toEqual(['budget-exhausted', 'budget-exhausted']);
    expect(origin.requests).toHaveLength(4);
  });

  test('shouldRetry is asked, also about a status that nobody lists', async () => {
    const origin = await startOrigin(inTurn(reply(404), reply(404), ok));
    const shouldRetry = jest.fn(({ status }, { attempt }) => (status === 404 && attempt < 2 ? true : undefined));
    const error = await caught(wrapped({ shouldRetry }).get(`${origin.url}/x`));
    expect(error.status).toBe(404);
    expect(shouldRetry).toHaveBeenLastCalledWith(
      expect.objectContaining({ code: 'HTTP_404' }),
      { attempt: 2, method: 'GET', url: `${origin.url}/x`, elapsed: expect.any(Number) },
    );
    expect(origin.requests).toHaveLength(2);
  });

  test('what a hook throws is what the call ends with', async () => {
    const origin = await startOrigin(rst);
    const onRetry = () => {
      throw new RangeError('of the hook');
    };
    const error = await caught(wrapped({ onRetry }).get(origin.url));
    expect(error.message).toBe('of the hook');
    expect(codesOf(error.recovery)).toEqual(['ECONNRESET']);
  });

  test('fake timers govern the waits', async () => {
    jest.useFakeTimers();
    try {
      const adapter = scripted(() => {
        throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' });
      }, () => ({}));
      const call = wrapAxios(axios.create({ adapter }), { retry: SLOW }).get('/x');
      await jest.advanceTimersByTimeAsync(60_000);
      expect((await call).recovery.attempts).toHaveLength(2);
    } finally {
      jest.useRealTimers();
    }
  });
});

describe('onRequest', () => {
  test('runs once for a call, and every attempt carries what it sets', async () => {
    const origin = await startOrigin(inTurn(rst, rst, ok));
    const storage = new AsyncLocalStorage();
    const onRequest = jest.fn((headers, { method, url }) => {
      headers.set('traceparent', `${storage.getStore()} ${method} ${url}`);
      headers.delete('x-unwanted');
    });
    const client = wrapped(QUICK, { headers: { 'X-Unwanted': '1' } }, { onRequest });
    await storage.run('span-1', () => client.get(`${origin.url}/x`, { params: { a: 1 } }));
    expect(onRequest).toHaveBeenCalledTimes(1);
    expect(origin.requests.map(({ headers }) => [headers.traceparent, headers['x-unwanted']])).toEqual(
      Array(3).fill([`span-1 GET ${origin.url}/x?a=1`, undefined]),
    );
  });

  test('must not be asynchronous', async () => {
    const adapter = scripted(() => ({}));
    await expect(wrapAxios(axios, { onRequest: async () => {} }).get('/x', { adapter })).rejects.toThrow(/^onRequest must be a function that returns nothing/);
    expect(adapter.seen).toEqual([]);
  });
});

test('hooks and events run in the async context of the call', async () => {
  const origin = await startOrigin(inTurn(rst, ok));
  const storage = new AsyncLocalStorage();
  const stores = [];
  const note = () => {
    stores.push(storage.getStore());
  };
  const policy = createPolicy({ ...QUICK, onRetry: note, shouldRetry: note });
  policy.on('retry', note);
  policy.on('recovered', note);
  await storage.run('order-4711', () => wrapAxios(axios, { retry: policy }).get(origin.url));
  expect(stores).toEqual(Array(4).fill('order-4711'));
});

describe('a breaker', () => {
  test('that is open refuses with an error of axios\'s class', async () => {
    const origin = await startOrigin(reply(503));
    const policy = createPolicy({ ...QUICK, retries: 0, breaker: { minCalls: 2, failureRate: 0.5, openFor: 60_000 } });
    for (const client of [wrapAxios(axios, { retry: policy }), wrapAxios(axios.create(), { retry: policy })]) {
      await caught(client.get(origin.url));
      await caught(client.get(origin.url));
      origin.requests.length = 0;
      const error = await caught(client.get(origin.url));
      expect(error).toBeInstanceOf(axios.AxiosError);
      expect(error).toMatchObject({ code: 'ERR_BREAKER_OPEN', cause: { name: 'FaultError', code: 'ERR_BREAKER_OPEN', delivery: 'not-sent' } });
      expect(Object.keys(error)).not.toContain('cause');
      expect(error.recovery.gaveUp).toBe('breaker-open');
      expect(error.config.url).toBe(origin.url);
      expect(origin.requests).toHaveLength(0);
    }
  });
});

'use strict';

/** `wrapFetch` where the client does not matter: what it is given, what it gives the client, its options. */

const { getEventListeners } = require('node:events');
const nodeFetch2 = require('node-fetch-2');
const crossFetch = require('cross-fetch');
const undici7 = require('undici-7');
const { createFetch, createPolicy, fetch: ownFetch, wrapFetch } = require('../../..');
const { closeAll, inTurn, ok, refusedPort, reply, rst, startOrigin } = require('../../../testing');
const { caught, codesOf } = require('../../support/fetch-outcomes');

afterEach(closeAll);

const QUICK = { backoff: { base: 1 } };
const URL_OF_NOBODY = 'http://nobody.test/path';

/** As Node reports it. */
const resetError = () => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' });

/** Fails so often, then answers. */
function failing(times, answer = () => new Response('ok')) {
  const mock = jest.fn(async () => answer());
  for (let time = 0; time < times; time++) mock.mockImplementationOnce(async () => Promise.reject(resetError()));
  return mock;
}

describe('what is wrapped', () => {
  test.each([
    ['a fetch that is wrapped', () => wrapFetch(failing(0))],
    ['the fetch of unreset', () => ownFetch],
    ['one that createFetch made', () => createFetch()],
    ['one that createFetch made of a mock', () => createFetch({ fetch: failing(0) })],
  ])('%s retries already', (what, make) => {
    expect(() => wrapFetch(make())).toThrow(/^fetch must be one that does not retry/);
  });

  test.each([
    [undefined, /^fetch must be a function that is called like fetch\. Received undefined/],
    [{ default: () => {} }, /this is a module, whose default export is one/],
    [undici7, /this object has one as its property fetch/],
  ])('%p is no function', (given, message) => {
    expect(() => wrapFetch(given)).toThrow(expect.objectContaining({ name: 'TypeError', message: expect.stringMatching(message) }));
  });

  test('its properties are those of the client, and what is set reaches the client', () => {
    const inner = Object.assign(async () => new Response(), { isRedirect: () => true, Promise });
    const wrapped = wrapFetch(inner);
    class Better extends Promise {}
    wrapped.Promise = Better;
    expect(inner.Promise).toBe(Better);
    expect(Object.keys(wrapped)).toEqual(['isRedirect', 'Promise']);
    expect(wrapped.isRedirect()).toBe(true);
  });

  test('where the client names itself, the wrapper is meant', () => {
    const wrapped = wrapFetch(crossFetch);
    expect(wrapped.fetch).toBe(wrapped);
    expect(wrapped.default).toBe(wrapped);
    expect(wrapped.Headers).toBe(crossFetch.Headers);
  });
});

describe('what the client is given', () => {
  test('as many arguments as the caller gave, on every attempt', async () => {
    const mock = failing(1);
    await wrapFetch(mock, { retry: QUICK })(URL_OF_NOBODY);
    expect(mock.mock.calls).toEqual([[URL_OF_NOBODY], [URL_OF_NOBODY]]);
  });

  test('an init without what is ours', async () => {
    const mock = failing(0);
    const init = { method: 'PUT', retry: 1, timeout: { attempt: 1000 }, agent: 'theirs' };
    await wrapFetch(mock)(URL_OF_NOBODY, init);
    const [[, given]] = mock.mock.calls;
    expect(Object.keys(given).sort()).toEqual(['agent', 'method', 'signal']);
    expect(init.retry).toBe(1);
  });

  test('a timeout that is a number: it is an option of node-fetch 2', async () => {
    const origin = await startOrigin((request, response) => void setTimeout(() => response.end(), 200));
    const error = await caught(wrapFetch(nodeFetch2, { retry: false })(origin.url, { timeout: 20 }));
    expect(error).toMatchObject({ name: 'FetchError', type: 'request-timeout', recovery: { gaveUp: expect.any(String) } });
  });

  test('all of an init that inherits, as a Request does', async () => {
    const origin = await startOrigin(inTurn(rst, ok));
    const init = new Request(URL_OF_NOBODY, { method: 'DELETE', headers: { 'x-team': 'a' } });
    const response = await wrapFetch(fetch, { retry: QUICK })(origin.url, init);
    expect(response.status).toBe(200);
    expect(origin.requests.map(({ method, headers }) => [method, headers['x-team']])).toEqual([['DELETE', 'a'], ['DELETE', 'a']]);
  });

  test('all of an init whose members are getters of a class', async () => {
    class Init {
      get method() {
        return 'PUT';
      }
    }
    const mock = failing(0);
    await wrapFetch(mock)(URL_OF_NOBODY, new Init());
    expect(mock).toHaveBeenCalledWith(URL_OF_NOBODY, { method: 'PUT' });
  });

  test('the same on every attempt, whatever the caller does with its objects meanwhile', async () => {
    const origin = await startOrigin(inTurn(rst, ok));
    const headers = new Headers({ 'idempotency-key': 'first' });
    const init = { method: 'POST', headers, body: 'one' };
    const call = wrapFetch(fetch, { retry: QUICK })(origin.url, init);
    headers.set('idempotency-key', 'second');
    init.body = 'two';
    await call;
    expect(origin.requests.map((request) => [request.headers['idempotency-key'], String(request.body)])).toEqual([
      ['first', 'one'], ['first', 'one'],
    ]);
  });

  test('the Request itself, where it is not needed twice', async () => {
    const mock = failing(0);
    const request = new Request(URL_OF_NOBODY, { method: 'POST', body: 'x' });
    await wrapFetch(mock, { retry: false })(request);
    expect(mock.mock.calls[0][0]).toBe(request);
  });

  test('a Request that a mock can read', async () => {
    const bodies = [];
    const mock = jest.fn(async (request) => {
      bodies.push(await request.text());
      if (bodies.length === 1) throw resetError();
      return new Response('ok');
    });
    await wrapFetch(mock, { retry: QUICK })(new Request(URL_OF_NOBODY, { method: 'PUT', body: 'x' }));
    expect(bodies).toEqual(['x', 'x']);
  });

  test('the signal of a Request ends the waits too', async () => {
    const controller = new AbortController();
    const mock = failing(9);
    const retry = { backoff: { base: 60_000, cap: 60_000 }, within: Infinity, onRetry: () => void setImmediate(() => controller.abort()) };
    const error = await caught(wrapFetch(mock, { retry })(new Request(URL_OF_NOBODY, { signal: controller.signal })));
    expect(error.name).toBe('AbortError');
    expect(mock).toHaveBeenCalledTimes(1);
  });
});

describe('what the client does', () => {
  test.each([undefined, null, 'text'])('an answer that is %p is given as it is', async (answer) => {
    expect(await wrapFetch(async () => answer)(URL_OF_NOBODY)).toBe(answer);
  });

  test('a response that is a plain object, as mocks have it', async () => {
    const answers = [{ status: 503, ok: false }, { status: 200, ok: true }];
    const mock = jest.fn(async () => answers.shift());
    const response = await wrapFetch(mock, { retry: QUICK })('/relative');
    expect(response).toEqual({ status: 200, ok: true });
    expect(codesOf(response.recovery)).toEqual(['HTTP_503', null]);
  });

  test('a plain object whose body is one, and whose methods are synchronous', async () => {
    const response = await wrapFetch(async () => ({ status: 200, body: { a: 1 }, json: () => ({ a: 1 }) }))(URL_OF_NOBODY);
    expect(response.json()).toEqual({ a: 1 });
  });

  test('a response is what the client made: same class, no property more, and others of the class are untouched', async () => {
    const own = new Response('ok');
    const names = Object.getOwnPropertyNames(own);
    const response = await wrapFetch(async () => own)(URL_OF_NOBODY);
    expect(response).toBe(own);
    expect(response).toBeInstanceOf(Response);
    expect(response.constructor).toBe(Response);
    expect(Object.getOwnPropertyNames(response)).toEqual(names);
    expect(response.recovery).toBe(response.recovery);
    expect('recovery' in Response.prototype).toBe(false);
    expect(await response.text()).toBe('ok');
  });

  test.each([
    ['a plain object', () => ({ status: 200 })],
    ['a Response', () => new Response(null)],
  ])('%s that a mock answers again has the recovery of the latest call', async (name, make) => {
    const same = make();
    const wrapped = wrapFetch(failing(1, () => same), { retry: QUICK });
    expect(codesOf((await wrapped(URL_OF_NOBODY)).recovery)).toEqual(['ECONNRESET', null]);
    expect(codesOf((await wrapped(URL_OF_NOBODY)).recovery)).toEqual([null]);
  });

  test.each([
    ['of the class', () => new Response('ok')],
    ['of its own', () => Object.assign(new Response('ok'), { clone: () => new Response('another') })],
    ['of a plain object', () => ({ status: 200, clone: () => new Response('another') })],
  ])('what a method clone %s gives has the recovery too', async (name, make) => {
    const response = await wrapFetch(failing(1, make), { retry: QUICK })(URL_OF_NOBODY);
    const twin = response.clone();
    expect(codesOf(twin.recovery)).toEqual(['ECONNRESET', null]);
    expect(await twin.text()).toBe(name === 'of the class' ? 'ok' : 'another');
  });

  test('the recovery of a response can be replaced, and is seen through what inherits from it', async () => {
    const response = await wrapFetch(failing(0))(URL_OF_NOBODY);
    expect(codesOf(Object.create(response).recovery)).toEqual([null]);
    response.recovery = 'mine';
    expect(response.recovery).toBe('mine');
  });

  test.each([
    ['plain object', () => ({ status: 200 })],
    ['Response', () => new Response('ok')],
  ])('a %s that is frozen stays as it is', async (name, make) => {
    const frozen = Object.freeze(make());
    expect(await wrapFetch(async () => frozen)(URL_OF_NOBODY)).toBe(frozen);
    expect(frozen.recovery).toBeUndefined();
  });

  test('Retry-After is read from it', async () => {
    const mock = jest.fn(async () => ({ status: 503, headers: { 'retry-after': '3600' } }));
    const response = await wrapFetch(mock)(URL_OF_NOBODY);
    expect(response.recovery).toMatchObject({ gaveUp: 'retry-after-too-long', attempts: [{ fault: { retryAfter: 3_600_000 } }] });
  });

  test('what it throws at once is like what it rejects with', async () => {
    const mock = jest.fn(() => new Response('ok')).mockImplementationOnce(() => {
      throw resetError();
    });
    expect(codesOf((await wrapFetch(mock, { retry: QUICK })(URL_OF_NOBODY)).recovery)).toEqual(['ECONNRESET', null]);
  });

  test('a mistake in it is not repeated, and stays the same object', async () => {
    const mistake = new TypeError('x is not a function');
    const error = await caught(wrapFetch(async () => Promise.reject(mistake))(URL_OF_NOBODY));
    expect(error).toBe(mistake);
    expect(error.recovery.gaveUp).toBe('not-transient');
  });

  test('a frozen error is left as it is', async () => {
    const frozen = Object.freeze(resetError());
    expect(await caught(wrapFetch(async () => Promise.reject(frozen), { retry: false })(URL_OF_NOBODY))).toBe(frozen);
  });

  test('425 after a redirect does not repeat a POST: the server before it may have acted', async () => {
    const late = await startOrigin(reply(425));
    const origin = await startOrigin(reply(303, { location: late.url }));
    const response = await wrapFetch(fetch, { retry: QUICK })(origin.url, { method: 'POST', body: 'x' });
    expect([response.status, origin.requests.length]).toEqual([425, 1]);
  });

  test('425 repeats a POST', async () => {
    const origin = await startOrigin(inTurn(reply(425), ok));
    const response = await wrapFetch(fetch, { retry: QUICK })(origin.url, { method: 'POST', body: 'x' });
    expect([response.status, origin.requests.length]).toEqual([200, 2]);
  });

  test('a POST that was refused under "redirect: manual" is repeated without a look at the address', async () => {
    const refused = () => Object.assign(new Error('connect'), { code: 'ECONNREFUSED', syscall: 'connect' });
    const mock = failing(0).mockImplementationOnce(async () => Promise.reject(refused()));
    const wrapped = wrapFetch(mock, { retry: QUICK });
    await wrapped(URL_OF_NOBODY, { method: 'POST', redirect: 'manual' });
    expect(mock).toHaveBeenCalledTimes(2);
    mock.mockImplementationOnce(async () => Promise.reject(refused()));
    expect((await caught(wrapped(URL_OF_NOBODY, { method: 'POST' }))).recovery).toMatchObject({
      gaveUp: 'not-idempotent', attempts: [{ fault: { delivery: 'unknown' } }],
    });
  });
});

describe('retry', () => {
  test('of a call, laid over that of the client', async () => {
    const wrapped = wrapFetch(failing(9), { retry: { ...QUICK, retries: 2 } });
    const attemptsOf = async (retry) => (await caught(wrapped(URL_OF_NOBODY, { retry }))).recovery.attempts.length;
    expect([await attemptsOf(undefined), await attemptsOf(1), await attemptsOf(false), await attemptsOf({ retries: 1 })]).toEqual([3, 2, 1, 2]);
  });

  test('methods opens POST', async () => {
    const mock = failing(1);
    await wrapFetch(mock, { retry: { ...QUICK, methods: ['POST'] } })(URL_OF_NOBODY, { method: 'POST', body: 'x' });
    expect(mock).toHaveBeenCalledTimes(2);
  });

  test('one policy is one budget for all that it is given to', async () => {
    const retry = createPolicy({ ...QUICK, budget: { ratio: 0, perSecond: 0.1 } });
    const first = await wrapFetch(failing(1), { retry })(URL_OF_NOBODY);
    const error = await caught(wrapFetch(failing(1), { retry })(URL_OF_NOBODY));
    expect(codesOf(first.recovery)).toEqual(['ECONNRESET', null]);
    expect(error.recovery.gaveUp).toBe('budget-exhausted');
  });

  test('what a hook throws is what the call is rejected with, and the response is let go of', async () => {
    const bug = new Error('in the hook');
    let cancelled = 0;
    const endless = () => new ReadableStream({
      cancel() {
        cancelled += 1;
      },
    });
    const retry = {
      onRetry() {
        throw bug;
      },
    };
    expect(await caught(wrapFetch(async () => new Response(endless(), { status: 503 }), { retry })(URL_OF_NOBODY))).toBe(bug);
    expect(cancelled).toBe(1);
  });

  test('what happens is told to the policy', async () => {
    const policy = createPolicy(QUICK);
    const told = [];
    for (const event of ['retry', 'recovered', 'gave-up']) {
      policy.on(event, ({ surface, method, url }) => told.push([event, surface, method, url]));
    }
    await wrapFetch(failing(1), { retry: policy })(URL_OF_NOBODY, { method: 'put' });
    expect(told).toEqual([['retry', 'wrapFetch', 'PUT', URL_OF_NOBODY], ['recovered', 'wrapFetch', 'PUT', URL_OF_NOBODY]]);
  });

  test.each([
    ['the standard', fetch, 'TypeError'],
    ['node-fetch 2', nodeFetch2, 'FetchError'],
  ])('an open breaker refuses with what %s has for a refused connection', async (name, inner, expected) => {
    const port = await refusedPort();
    const breaker = { minCalls: 1, failureRate: 0.5 };
    const wrapped = wrapFetch(inner, { retry: { retries: 0, breaker } });
    const url = `http://127.0.0.1:${port}/`;
    await caught(wrapped(url));
    const error = await caught(wrapped(url));
    expect(error).toMatchObject({
      name: expected, code: 'ERR_BREAKER_OPEN', cause: { name: 'FaultError', delivery: 'not-sent' }, recovery: { gaveUp: 'breaker-open' },
    });
  });
});

describe('onRequest', () => {
  test('is asked once, and every attempt has what it set', async () => {
    const onRequest = jest.fn((headers, { method }) => headers.set('traceparent', `${method}-1`));
    const origin = await startOrigin(inTurn(rst, ok));
    await wrapFetch(fetch, { retry: QUICK, onRequest })(origin.url, { headers: { accept: 'text/plain' } });
    expect(onRequest).toHaveBeenCalledTimes(1);
    expect(onRequest.mock.calls[0][1]).toEqual({ method: 'GET', url: origin.url });
    expect(origin.requests.map(({ headers }) => [headers.traceparent, headers.accept])).toEqual([['GET-1', 'text/plain'], ['GET-1', 'text/plain']]);
  });

  test('sees the headers of a Request, and its Idempotency-Key counts', async () => {
    const onRequest = (headers) => headers.set('idempotency-key', headers.get('x-order'));
    const origin = await startOrigin(inTurn(rst, ok));
    const request = new Request(origin.url, { method: 'POST', body: 'x', headers: { 'x-order': '7' } });
    await wrapFetch(fetch, { retry: QUICK, onRequest })(request);
    expect(origin.requests.map(({ headers }) => headers['idempotency-key'])).toEqual(['7', '7']);
  });

  test('its headers reach node-fetch', async () => {
    const origin = await startOrigin();
    await wrapFetch(nodeFetch2, { onRequest: (headers) => headers.set('traceparent', '1') })(origin.url);
    expect(origin.requests[0].headers.traceparent).toBe('1');
  });

  test('must not be asynchronous', async () => {
    const error = await caught(wrapFetch(failing(0), { onRequest: async () => {} })(URL_OF_NOBODY));
    expect(error.message).toMatch(/^onRequest must be/);
  });
});

describe('options that are wrong are named', () => {
  test.each([
    [{ retires: 1 }, /^options\.retires is not an option/],
    [{ timeout: 1000 }, /^timeout must be/],
    [{ timeout: { connect: 1000 } }, /^timeout\.connect must be left out: a wrapped client connects by itself/],
    [{ timeout: { atempt: 1 } }, /^timeout\.atempt is not an option/],
    [{ timeout: { attempt: 0 } }, /^timeout\.attempt must be/],
    [{ timeout: { body: '1s' } }, /^timeout\.body must be a number of milliseconds, or false/],
    [{ onRequest: true }, /^onRequest must be a function/],
    [{ retry: { retries: -1 } }, /^retry\.retries must be/],
  ])('%j', (options, message) => {
    expect(() => wrapFetch(failing(0), options)).toThrow(message);
  });

  test('those of a call reject it before the client is asked', async () => {
    const mock = failing(0);
    const wrapped = wrapFetch(mock);
    expect((await caught(wrapped(URL_OF_NOBODY, { retry: { retries: 'often' } }))).message).toMatch(/^retry\.retries must be/);
    expect((await caught(wrapped(URL_OF_NOBODY, { timeout: { connect: 5 } }))).message).toMatch(/^timeout\.connect must be left out/);
    expect((await caught(wrapped(URL_OF_NOBODY, { retry: createPolicy() }))).message).toMatch(/a policy belongs to the client/);
    expect(mock).not.toHaveBeenCalled();
  });
});

describe('limits on time', () => {
  const never = () => new Promise(() => {});

  test('hold for a function that obeys no signal', async () => {
    const error = await caught(wrapFetch(never, { timeout: { attempt: 20 }, retry: false })(URL_OF_NOBODY));
    expect(error).toMatchObject({ name: 'TypeError', message: 'fetch failed', code: 'ETIMEDOUT', cause: { kind: 'timeout' } });
  });

  test.each(['shouldRetry', 'onRetry'])('hold for a hook that never ends: %s', async (name) => {
    const inner = () => Promise.reject(resetError());
    const error = await caught(wrapFetch(inner, { timeout: { total: 30 }, retry: { ...QUICK, [name]: never } })(URL_OF_NOBODY));
    expect(error).toMatchObject({ code: 'ECONNRESET', recovery: { gaveUp: 'out-of-time', attempts: [{ fault: { code: 'ECONNRESET' } }] } });
  });

  test('of a call are laid over those of the client', async () => {
    const wrapped = wrapFetch(never, { timeout: { attempt: 20, total: 60_000 }, retry: false });
    expect((await caught(wrapped(URL_OF_NOBODY, { timeout: { headers: 10 } }))).cause.reason).toMatch(/timeout\.headers/);
    expect((await caught(wrapped(URL_OF_NOBODY, { timeout: { total: 10, attempt: false } }))).cause.reason).toMatch(/timeout\.total/);
  });

  test('total covers a function that opens the body', async () => {
    const wrapped = wrapFetch(fetch, { timeout: { total: 20 } });
    const error = await caught(wrapped(URL_OF_NOBODY, { method: 'PUT', body: () => new Promise(() => {}) }));
    expect(error.cause.reason).toMatch(/timeout\.total/);
  });

  test('a late answer is let go of', async () => {
    let answer;
    const late = new Promise((resolve) => {
      answer = resolve;
    });
    await caught(wrapFetch(() => late, { timeout: { attempt: 20 }, retry: false })(URL_OF_NOBODY));
    const cancelled = new Promise((resolve) => {
      answer(new Response(new ReadableStream({ cancel: resolve })));
    });
    await cancelled;
  });
});

describe('one signal for many calls', () => {
  test('ten thousand calls leave no listener and no warning', async () => {
    const warned = jest.fn();
    process.on('warning', warned);
    const { signal } = new AbortController();
    const attempts = new Map();
    const inner = async (url) => {
      const attempt = (attempts.get(url) ?? 0) + 1;
      attempts.set(url, attempt);
      if (attempt === 1) throw resetError();
      return { status: 200 };
    };
    const wrapped = wrapFetch(inner, { retry: { ...QUICK, budget: false }, timeout: { attempt: 60_000 } });
    const calls = Array.from({ length: 10_000 }, (_, call) => wrapped(`${URL_OF_NOBODY}/${call}`, { signal }));
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    await Promise.all(calls);
    await new Promise(setImmediate);
    process.off('warning', warned);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect(warned).not.toHaveBeenCalled();
    expect([...attempts.values()].every((attempt) => attempt === 2)).toBe(true);
  });
});

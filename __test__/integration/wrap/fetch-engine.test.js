'use strict';

/** `createFetch({ fetch })`: ours, with a function in place of the network. */

const { createFetch, createPolicy } = require('../../..');
const { closeAll, rst, startOrigin } = require('../../../testing');
const { caught, codesOf } = require('../../support/fetch-outcomes');

afterEach(closeAll);

const URL_OF_NOBODY = 'http://nobody.test/path';
const QUICK = { backoff: { base: 1 } };
const resetError = () => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });

function mockOf(...failures) {
  const mock = jest.fn(async () => new Response('ok'));
  for (const failure of failures) mock.mockImplementationOnce(async () => Promise.reject(failure));
  return mock;
}

test('the policy of the client makes the attempts, and the response tells of them', async () => {
  const mock = mockOf(resetError());
  const response = await createFetch({ fetch: mock, retry: QUICK })(URL_OF_NOBODY);
  expect(await response.text()).toBe('ok');
  expect(codesOf(response.recovery)).toEqual(['ECONNRESET', null]);
  expect(mock.mock.calls).toEqual([[URL_OF_NOBODY], [URL_OF_NOBODY]]);
});

test('errors have our shape, as on the network', async () => {
  const origin = await startOrigin(rst);
  const real = await caught(createFetch({ retry: false })(origin.url));
  const thrown = resetError();
  const error = await caught(createFetch({ fetch: mockOf(thrown), retry: false })(URL_OF_NOBODY));
  const shape = ({ name, message, code, cause, recovery }) => [name, message, code, cause.name, cause.code, cause.delivery, recovery.gaveUp];
  expect(shape(error)).toEqual(shape(real));
  expect(error.cause.cause).toBe(thrown);
});

test('a mistake in the mock stays what it is', async () => {
  const mistake = new TypeError('x is not a function');
  expect(await caught(createFetch({ fetch: mockOf(mistake) })(URL_OF_NOBODY))).toBe(mistake);
});

test('a limit is an error of one kind', async () => {
  const error = await caught(createFetch({ fetch: () => new Promise(() => {}), retry: false, timeout: { attempt: 10 } })(URL_OF_NOBODY));
  expect(error).toMatchObject({ message: 'fetch failed', code: 'ETIMEDOUT', cause: { code: 'ETIMEDOUT' } });
  expect(error.cause.cause).toBeUndefined();
});

test('default headers and onRequest are there, and what the call sets comes first', async () => {
  const mock = mockOf();
  const onRequest = (headers) => headers.set('traceparent', '1');
  const fetch = createFetch({ fetch: mock, headers: { 'user-agent': 'mine', accept: 'a' }, onRequest });
  await fetch(URL_OF_NOBODY, { headers: { accept: 'b' } });
  expect(Object.fromEntries(mock.mock.calls[0][1].headers)).toEqual({ 'user-agent': 'mine', accept: 'b', traceparent: '1' });
});

test.each([
  'tls', 'lookup', 'connections', 'proxy', 'http2', 'socketPath', 'keepAlive', 'resume', 'decompress', 'maxResponseSize',
])('%s must be left out', (name) => {
  expect(() => createFetch({ fetch: mockOf(), [name]: false })).toThrow(`${name} must be left out with fetch: only the native engine has it.`);
});

test('other options are checked as ever', () => {
  expect(() => createFetch({ fetch: 'mock' })).toThrow(/^fetch must be a function/);
  expect(() => createFetch({ fetch: mockOf(), retries: 1 })).toThrow(/^options\.retries is not an option/);
  expect(() => createFetch({ fetch: mockOf(), timeout: { connect: 5 } })).toThrow(/^timeout\.connect must be left out/);
});

test('options of a call that only the engine has are ignored', async () => {
  const mock = mockOf();
  await createFetch({ fetch: mock })(URL_OF_NOBODY, { resume: false, decompress: false, maxResponseSize: 5, method: 'PUT' });
  expect(mock.mock.calls[0][1]).toEqual({ method: 'PUT' });
});

test('its calls are told as those of fetch', async () => {
  const policy = createPolicy(QUICK);
  const surfaces = [];
  policy.on('recovered', ({ surface }) => surfaces.push(surface));
  await createFetch({ fetch: mockOf(resetError()), retry: policy })(URL_OF_NOBODY);
  expect(surfaces).toEqual(['fetch']);
});

test('an abort ends a wait with the reason', async () => {
  const controller = new AbortController();
  const reason = new Error('enough');
  const retry = { backoff: { base: 60_000, cap: 60_000 }, within: Infinity, onRetry: () => void setImmediate(() => controller.abort(reason)) };
  const fetch = createFetch({ fetch: mockOf(resetError()), retry });
  expect(await caught(fetch(URL_OF_NOBODY, { signal: controller.signal }))).toBe(reason);
});

describe('its end', () => {
  /** Answers when it is told. */
  function held() {
    let answer;
    const mock = jest.fn(() => new Promise((resolve) => {
      answer = () => resolve(new Response('ok'));
    }));
    return { mock, answer: () => answer() };
  }

  test('close lets the calls in flight end, and refuses others', async () => {
    const { mock, answer } = held();
    const fetch = createFetch({ fetch: mock });
    const call = fetch(URL_OF_NOBODY);
    let isClosed = false;
    const closed = fetch.close().then(() => {
      isClosed = true;
    });
    expect((await caught(fetch(URL_OF_NOBODY))).code).toBe('UND_ERR_CLOSED');
    expect(isClosed).toBe(false);
    answer();
    expect((await call).status).toBe(200);
    await closed;
  });

  test('destroy ends them', async () => {
    const fetch = createFetch({ fetch: held().mock });
    const calls = [caught(fetch(URL_OF_NOBODY)), caught(fetch(URL_OF_NOBODY))];
    const reason = new Error('the tenant was deleted');
    await fetch.destroy(reason);
    expect(await Promise.all(calls)).toEqual([reason, reason]);
    expect((await caught(fetch(URL_OF_NOBODY))).code).toBe('UND_ERR_DESTROYED');
  });

  test('one that was never used closes at once', async () => {
    const fetch = createFetch({ fetch: mockOf() });
    await fetch[Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]?.();
    await fetch.close();
    expect((await caught(fetch(URL_OF_NOBODY))).code).toBe('UND_ERR_CLOSED');
  });
});

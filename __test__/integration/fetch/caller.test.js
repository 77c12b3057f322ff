'use strict';

// Whose code runs where: the caller's async context, environment and modes.

const { AsyncLocalStorage } = require('node:async_hooks');
const { createHash } = require('node:crypto');

const { fetch, createFetch } = require('../../..');
const { closeAll, echo, ok, refusedPort, reply, startOrigin } = require('../../../testing');

afterEach(closeAll);

describe("a body's source runs in the caller's async context", () => {
  const storage = new AsyncLocalStorage();

  const SOURCES = {
    'a function': (seen) => () => {
      seen.push(storage.getStore());
      return 'text';
    },
    'a generator': (seen) =>
      (async function* generate() {
        seen.push(storage.getStore());
        yield 'text';
      })(),
    'a stream': (seen) =>
      new ReadableStream(
        {
          pull(controller) {
            seen.push(storage.getStore());
            controller.enqueue(Buffer.from('text'));
            controller.close();
          },
        },
        { highWaterMark: 0 },
      ),
  };

  test.each(Object.keys(SOURCES))('%s', async (name) => {
    const { url } = await startOrigin(ok);
    const seen = [];
    const call = (caller) =>
      storage.run(caller, async () => fetch(url, { method: 'PUT', body: SOURCES[name](seen), duplex: 'half' }));
    await call('first');
    await call('second');
    expect(seen).toEqual(['first', 'second']);
  });
});

describe('integrity', () => {
  const BODY = 'x'.repeat(20_000);
  const right = `sha384-${createHash('sha384').update(BODY).digest('base64')}`;

  test('a body that has the digest is delivered', async () => {
    const { url } = await startOrigin(reply(200, {}, BODY));
    const response = await createFetch({ headers: { 'x-own': '1' } })(url, { integrity: right });
    expect(response).toMatchObject({ status: 200, ok: true });
    expect(response.recovery.attempts).toHaveLength(1);
    expect(await response.text()).toBe(BODY);
  });

  test('another one is refused', async () => {
    const { url } = await startOrigin(reply(200, {}, `${BODY}y`));
    await expect(fetch(url, { integrity: right })).rejects.toMatchObject({
      name: 'TypeError',
      message: 'fetch failed',
      code: 'ERR_INTEGRITY_MISMATCH',
    });
  });
});

test('a data: URL is answered, and says what it took', async () => {
  const response = await fetch('data:text/plain,hello');
  expect(await response.text()).toBe('hello');
  expect(response.recovery.attempts).toEqual([{ fault: null, delay: 0 }]);
});

test.each([
  [{ cache: 'no-store' }, { pragma: 'no-cache', 'cache-control': 'no-cache' }],
  [{ cache: 'reload' }, { pragma: 'no-cache', 'cache-control': 'no-cache' }],
  [{ cache: 'no-cache' }, { 'cache-control': 'max-age=0' }],
  [{ cache: 'no-store', headers: { 'cache-control': 'mine' } }, { 'cache-control': 'mine' }],
  [{ mode: 'same-origin' }, { 'sec-fetch-mode': 'same-origin' }],
])('%j is told to caches on the way', async (init, expected) => {
  const { url } = await startOrigin(echo);
  const { headers } = await (await fetch(url, init)).json();
  expect(headers).toMatchObject(expected);
});

test('a FormData that cannot be read is named', async () => {
  const form = { [Symbol.toStringTag]: 'FormData', append() {} };
  await expect(fetch('http://localhost', { method: 'POST', body: form })).rejects.toMatchObject({
    name: 'TypeError',
    code: 'ERR_INVALID_ARG_VALUE',
    message: expect.stringMatching(/^body: .*global FormData/),
  });
});

test("a polyfill's signal, which gives no reason, still ends in an AbortError", async () => {
  const { url, received } = await startOrigin(() => {});
  const target = new EventTarget();
  const signal = { aborted: false, addEventListener: target.addEventListener.bind(target), removeEventListener() {} };
  const call = fetch(url, { signal });
  await received(0);
  target.dispatchEvent(new Event('abort'));
  await expect(call).rejects.toMatchObject({ name: 'AbortError' });
});

describe('errors where somebody has changed how stacks are made', () => {
  const { stackTraceLimit, prepareStackTrace } = Error;

  afterEach(() => {
    Object.assign(Error, { stackTraceLimit, prepareStackTrace });
  });

  test.each([
    ['stacks are switched off', () => delete Error.stackTraceLimit],
    ['stacks are objects', () => Object.assign(Error, { prepareStackTrace: () => ({ frames: [] }) })],
  ])('%s', async (_, change) => {
    const url = `http://127.0.0.1:${await refusedPort()}`;
    change();
    const error = await fetch(url, { retry: false }).catch((thrown) => thrown);
    expect(error).toMatchObject({ message: 'fetch failed', code: 'ECONNREFUSED', recovery: { gaveUp: 'attempts-exhausted' } });
  });
});

'use strict';

const { AsyncLocalStorage } = require('node:async_hooks');

const { createFetch } = require('../../..');
const { closeAll, echo, inTurn, ok, rst, startOrigin } = require('../../../testing');
const { caught } = require('../../support/fetch-outcomes');

const QUICK = { backoff: { base: 1, cap: 2 } };

afterEach(closeAll);

test('is called once for a call, and every attempt sends what it set', async () => {
  const origin = await startOrigin(inTurn(rst, rst, ok));
  const onRequest = jest.fn((headers) => headers.set('traceparent', '00-1-2-01'));
  await createFetch({ retry: QUICK, onRequest })(`${origin.url}/path?q`, { method: 'put', body: 'b' });
  expect(onRequest.mock.calls).toEqual([[expect.any(Headers), { method: 'PUT', url: `${origin.url}/path?q` }]]);
  expect(origin.requests.map(({ headers }) => headers.traceparent)).toEqual(Array(3).fill('00-1-2-01'));
});

test('sees the headers of the call and of the client, and may change and delete them', async () => {
  const { url } = await startOrigin(echo);
  const seen = [];
  const client = createFetch({
    headers: { 'x-client': 'a' },
    onRequest(headers) {
      seen.push(...headers);
      headers.set('x-call', `${headers.get('x-call')}, changed`);
      headers.delete('x-client');
    },
  });
  const sent = await (await client(url, { method: 'POST', body: 'b', headers: { 'X-Call': 'c' } })).json();
  expect(seen).toEqual([['x-call', 'c'], ['x-client', 'a']]);
  expect(sent.headers).toMatchObject({ 'x-call': 'c, changed', 'content-length': '1' });
  expect(sent.headers).not.toHaveProperty('x-client');
});

test('a stated Content-Length survives it', async () => {
  const { url } = await startOrigin(echo);
  const client = createFetch({ onRequest: (headers) => headers.set('a', 'b') });
  const init = { method: 'POST', body: new Blob(['123']).stream(), duplex: 'half', headers: { 'content-length': '3' } };
  const sent = await (await client(url, init)).json();
  expect(sent.headers).toMatchObject({ 'content-length': '3', a: 'b' });
});

test('runs in the context of the call', async () => {
  const { url } = await startOrigin(echo);
  const storage = new AsyncLocalStorage();
  const client = createFetch({ onRequest: (headers) => headers.set('x-request-id', storage.getStore()) });
  const sent = await Promise.all(['first', 'second'].map(async (id) => {
    const response = await storage.run(id, () => client(url));
    return (await response.json()).headers['x-request-id'];
  }));
  expect(sent).toEqual(['first', 'second']);
});

test('what it throws rejects the call, and nothing is sent', async () => {
  const origin = await startOrigin(ok);
  const thrown = new Error('no trace');
  const client = createFetch({
    onRequest() {
      throw thrown;
    },
  });
  expect(await caught(client(origin.url))).toBe(thrown);
  expect(origin.requests).toEqual([]);
});

test('a value that no header may have is refused as from anywhere else', async () => {
  const { url } = await startOrigin(ok);
  const client = createFetch({ onRequest: (headers) => headers.set('keep-alive', '5') });
  expect(await caught(client(url))).toMatchObject({ name: 'TypeError', message: expect.stringContaining('headers["keep-alive"] must be left out') });
});

test('an asynchronous one is refused: the request would leave without its headers', async () => {
  const origin = await startOrigin(ok);
  const client = createFetch({ onRequest: async () => {} });
  expect(await caught(client(origin.url))).toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
  expect(origin.requests).toEqual([]);
  expect(() => createFetch({ onRequest: 'x' })).toThrow("onRequest must be a function. Received 'x'.");
});

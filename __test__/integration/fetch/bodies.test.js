'use strict';

/** Bodies as only ours takes them. That all others leave as they leave the built-in fetch is in `side-by-side`. */

const { Readable } = require('node:stream');

const { fetch } = require('../../..');
const { closeAll, ok, startOrigin } = require('../../../testing');
const { caught } = require('../../support/fetch-outcomes');

afterEach(closeAll);

/** What the server saw of a call. */
async function seen(init) {
  const origin = await startOrigin(ok);
  await (await fetch(origin.url, init)).text();
  expect(origin.requests).toHaveLength(1);
  const [{ headers, body }] = origin.requests;
  return { headers, body: String(body) };
}

const bytes = (...values) => Uint8Array.from(values);

const streamOf = (...chunks) => ReadableStream.from(chunks);

async function* generated(...chunks) {
  yield* chunks;
}

describe('a Content-Length of 0', () => {
  const saidEmpty = (body) => ({ method: 'PUT', body, duplex: 'half', headers: { 'content-length': '0' } });
  const endless = (cancel) => new ReadableStream({ pull: () => new Promise(() => {}), cancel });

  test.each([
    ['a stream', (...pieces) => streamOf(...pieces)],
    ['a function', (...pieces) => () => streamOf(...pieces)],
  ])('%s that has something fails, and nothing is sent', async (name, make) => {
    const origin = await startOrigin(ok);
    const error = await caught(fetch(origin.url, saidEmpty(make(bytes(), bytes(1)))));
    expect(error).toMatchObject({ name: 'TypeError', code: 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH' });
    expect(error.recovery.attempts).toMatchObject([{ fault: { phase: 'send', delivery: 'not-sent' } }]);
    expect(origin.requests).toHaveLength(0);
    const { headers, body } = await seen(saidEmpty(make()));
    expect([headers['content-length'], headers['transfer-encoding'], body]).toEqual(['0', undefined, '']);
  });

  test.each(['total', 'attempt'])('a function that says nothing is waited for until timeout.%s', async (part) => {
    const origin = await startOrigin(ok);
    let call;
    await new Promise((cancelled) => {
      call = caught(fetch(origin.url, { ...saidEmpty(() => endless(cancelled)), timeout: { [part]: 50 }, retry: false }));
    });
    expect((await call).cause).toMatchObject({ code: 'ETIMEDOUT', phase: 'send', delivery: 'not-sent' });
    expect(origin.requests).toHaveLength(0);
  });
});

describe('a function as body', () => {
  test.each([
    ['a ReadableStream', () => streamOf(bytes(97), bytes(98))],
    ['a promise of a stream', async () => streamOf(bytes(97), bytes(98))],
    ['an async generator', () => generated('a', 'b')],
    ['an iterable', () => ['a', bytes(98)]],
    ['bytes', () => bytes(97, 98)],
    ['a string', () => 'ab'],
    ['a Node Readable', () => Readable.from(['a', 'b'])],
  ])('may return %s', async (name, body) => {
    expect(await seen({ method: 'POST', body })).toMatchObject({
      body: 'ab',
      headers: { 'transfer-encoding': 'chunked' },
    });
  });

  test('that returns something else rejects the call and says what it may return', async () => {
    const origin = await startOrigin(ok);
    await expect(fetch(origin.url, { method: 'POST', body: () => 7 })).rejects.toMatchObject({
      name: 'TypeError',
      cause: expect.objectContaining({ name: 'TypeError', message: expect.stringMatching(/body.*must return/) }),
    });
    expect(origin.requests.every(({ complete }) => !complete)).toBe(true);
  });
});

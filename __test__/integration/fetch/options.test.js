'use strict';

const { fetch, createFetch, createPolicy } = require('../../..');
const { closeAll, echo, inTurn, ok, rst, startOrigin } = require('../../../testing');
const { caught } = require('../../support/fetch-outcomes');

let origin;

beforeAll(async () => {
  origin = await startOrigin(echo);
});
afterAll(closeAll);

function usedStream() {
  const stream = new ReadableStream({
    start(controller) {
      controller.enqueue(Uint8Array.of(1));
      controller.close();
    },
  });
  const reader = stream.getReader();
  reader.read();
  reader.releaseLock();
  return stream;
}

function lockedStream() {
  const stream = new ReadableStream();
  stream.getReader();
  return stream;
}

const post = (init) => ({ method: 'POST', ...init });

/** What is given, the class of the error, and what its message must name. */
const WRONG = [
  ...[true, null, 'always', 1].map((resume) => [
    `resume: ${resume}`, { resume }, 'TypeError', /^resume must be false, 'validated' or 'trusting'/,
  ]),
  ['retry of a wrong type', { retry: 'often' }, 'TypeError', /^retry must be/],
  ['retry: true', { retry: true }, 'TypeError', /^retry must be/],
  ['retry: null', { retry: null }, 'TypeError', /^retry must be/],
  ['retry: -1', { retry: -1 }, 'RangeError', /^retry must be/],
  ['retry: NaN', { retry: NaN }, 'RangeError', /^retry must be/],
  ['retry: 1.5', { retry: 1.5 }, 'RangeError', /^retry must be/],
  ['an unknown key in retry', { retry: { retrys: 1 } }, 'TypeError', /^retry\.retrys is not an option.*retries/],
  ['an unknown key in retry.backoff', { retry: { backoff: { min: 1 } } }, 'TypeError', /^retry\.backoff\.min.*base, cap/],
  ['an unknown key in retry.budget', { retry: { budget: { rate: 1 } } }, 'TypeError', /^retry\.budget\.rate.*ratio, perSecond/],
  ['negative retries', { retry: { retries: -1 } }, 'RangeError', /^retry\.retries/],
  ['retries that are no number', { retry: { retries: '3' } }, 'TypeError', /^retry\.retries/],
  ['a negative delay', { retry: { backoff: { base: -1 } } }, 'RangeError', /^retry\.backoff\.base.*milliseconds/],
  ['a delay that no timer can wait for', { retry: { backoff: { cap: 2 ** 31 } } }, 'RangeError', /^retry\.backoff\.cap/],
  ['a base above its cap', { retry: { backoff: { base: 10, cap: 5 } } }, 'RangeError', /^retry\.backoff\.base/],
  ['backoff of a wrong type', { retry: { backoff: 100 } }, 'TypeError', /^retry\.backoff/],
  ['a negative within', { retry: { within: -1 } }, 'RangeError', /^retry\.within/],
  ['methods that are no array', { retry: { methods: 'POST' } }, 'TypeError', /^retry\.methods/],
  ['a method that is none', { retry: { methods: ['PO ST'] } }, 'TypeError', /^retry\.methods\[0\]/],
  ['a status that is none', { retry: { statuses: [503, 42] } }, 'RangeError', /^retry\.statuses\[1\]/],
  ['a status that is no number', { retry: { statuses: ['503'] } }, 'TypeError', /^retry\.statuses\[0\]/],
  ['respectRetryAfter of a wrong type', { retry: { respectRetryAfter: 1 } }, 'TypeError', /^retry\.respectRetryAfter/],
  ['a negative budget', { retry: { budget: { ratio: -0.1 } } }, 'RangeError', /^retry\.budget\.ratio/],
  ['budget: true', { retry: { budget: true } }, 'TypeError', /^retry\.budget/],
  ['onRetry that is no function', { retry: { onRetry: 'log' } }, 'TypeError', /^retry\.onRetry/],
  ['shouldRetry that is no function', { retry: { shouldRetry: true } }, 'TypeError', /^retry\.shouldRetry/],
  ['a breaker that is a number', { retry: { breaker: 1 } }, 'TypeError', /^retry\.breaker must be/],

  ['timeout of a wrong type', { timeout: 1000 }, 'TypeError', /^timeout must be/],
  ['timeout: null', { timeout: null }, 'TypeError', /^timeout must be/],
  ['an unknown key in timeout', { timeout: { response: 1 } }, 'TypeError', /^timeout\.response.*connect, headers, body, attempt, total/],
  ...['connect', 'headers', 'body', 'attempt', 'total'].flatMap((part) => [
    [`timeout.${part}: 0`, { timeout: { [part]: 0 } }, 'RangeError', new RegExp(`^timeout\\.${part}.*milliseconds`)],
    [`timeout.${part}: -1`, { timeout: { [part]: -1 } }, 'RangeError', new RegExp(`^timeout\\.${part}`)],
    [`timeout.${part}: NaN`, { timeout: { [part]: NaN } }, 'RangeError', new RegExp(`^timeout\\.${part}`)],
    [`timeout.${part}: '1s'`, { timeout: { [part]: '1s' } }, 'TypeError', new RegExp(`^timeout\\.${part}`)],
    [`timeout.${part}: true`, { timeout: { [part]: true } }, 'TypeError', new RegExp(`^timeout\\.${part}`)],
  ]),
  ['a time that no timer can wait for', { timeout: { total: 2 ** 31 } }, 'RangeError', /^timeout\.total/],

  ['decompress of a wrong type', { decompress: 'gzip' }, 'TypeError', /^decompress must be true or false.*'gzip'\.$/],
  ['decompress: null', { decompress: null }, 'TypeError', /^decompress/],
  ['maxResponseSize: 0', { maxResponseSize: 0 }, 'RangeError', /^maxResponseSize.*bytes.*at least 1/],
  ['maxResponseSize: -1', { maxResponseSize: -1 }, 'RangeError', /^maxResponseSize/],
  ['maxResponseSize: NaN', { maxResponseSize: NaN }, 'RangeError', /^maxResponseSize/],
  ['half a byte', { maxResponseSize: 1.5 }, 'RangeError', /^maxResponseSize/],
  ["maxResponseSize: '1mb'", { maxResponseSize: '1mb' }, 'TypeError', /^maxResponseSize.*number of bytes.*'1mb'\.$/],
  ['maxResponseSize: true', { maxResponseSize: true }, 'TypeError', /^maxResponseSize/],
  ['maxResponseSize: null', { maxResponseSize: null }, 'TypeError', /^maxResponseSize/],

  ['a method that is no token', { method: 'GE T' }, 'TypeError', /^method must be an HTTP method.*'GE T'\.$/],
  ['an empty method', { method: '' }, 'TypeError', /^method/],
  ['a method with a line feed', { method: 'GET\r\nX-A: 1' }, 'TypeError', /^method/],
  ['CONNECT', { method: 'connect' }, 'TypeError', /^method must be other than CONNECT.*'connect'\.$/],
  ['TRACE', { method: 'TRACE' }, 'TypeError', /^method.*TRACE/],
  ['a method that is a symbol', { method: Symbol('m') }, 'TypeError', /./],

  ['a header name that is none', { headers: { 'x a': '1' } }, 'TypeError', /^headers must be named.*'x a'\.$/],
  ['an empty header name', { headers: [['', '1']] }, 'TypeError', /^headers/],
  ['a header value with a line feed', { headers: { 'x-a': 'a\r\nx-b: c' } }, 'TypeError', /^headers\["x-a"\] must be/],
  ['a header value with NUL', { headers: { 'x-a': 'a\0' } }, 'TypeError', /^headers.*"x-a"/],
  ['a header value beyond latin1', { headers: { 'x-a': '€' } }, 'TypeError', /^headers.*"x-a"/],
  ['headers that are a string', { headers: 'x-a: 1' }, 'TypeError', /^headers must be a Headers object.*object\.$/],
  ['headers that are pairs of three', { headers: [['x-a', '1', '2']] }, 'TypeError', /^headers/],
  ['headers that are a list', { headers: ['x-a'] }, 'TypeError', /^headers/],
  ['a header of the connection', { headers: { 'Transfer-Encoding': 'chunked' } }, 'TypeError', /^headers\["transfer-encoding"\] must be left out.*'chunked'\.$/],
  ['an upgrade', { headers: { upgrade: 'websocket' } }, 'TypeError', /^headers.*upgrade/],
  ['a Connection that is none', { headers: { connection: 'upgrade' } }, 'TypeError', /^headers\["connection"\] must be "close" or "keep-alive"/],
  ['a Content-Length that is not the body\'s', post({ body: 'four', headers: { 'content-length': '3' } }), 'TypeError', /^headers\["content-length"\] must be.* 4 bytes.*'3'\.$/],
  ['a Content-Length that is no number', post({ body: 'four', headers: { 'content-length': 'x' } }), 'TypeError', /content-length/],
  ['a Content-Length without a body', post({ headers: { 'content-length': '4' } }), 'TypeError', /content-length/],
  ['a Content-Length of a GET', { headers: { 'content-length': '4' } }, 'TypeError', /content-length/],

  ['a body on GET', { body: 'b' }, 'TypeError', /^body.*GET/],
  ['an empty body on GET', { body: '' }, 'TypeError', /^body.*GET/],
  ['a body on HEAD', { method: 'head', body: 'b' }, 'TypeError', /^body.*HEAD/],
  ['a stream that has been read', post({ body: usedStream(), duplex: 'half' }), 'TypeError', /^body.*read/],
  ['a stream that is locked', post({ body: lockedStream(), duplex: 'half' }), 'TypeError', /^body.*locked/],
  ['a stream without duplex', post({ body: new ReadableStream() }), 'TypeError', /^duplex.*"half"/],
  ['an async iterable without duplex', post({ body: (async function* none() {})() }), 'TypeError', /^duplex/],
  ['duplex: full', post({ body: new ReadableStream(), duplex: 'full' }), 'TypeError', /^duplex/],

  ['a signal that is none', { signal: {} }, 'TypeError', /^signal/],
  ['a controller as signal', { signal: new AbortController() }, 'TypeError', /^signal/],
  ['a redirect mode that is none', { redirect: 'maybe' }, 'TypeError', /^redirect must be "follow", "error" or "manual".*'maybe'\.$/],
  ['a redirect mode from the prototype', { redirect: 'toString' }, 'TypeError', /^redirect/],
  ['init that is no object', 'GET', 'TypeError', /^init/],
];

describe('wrong input rejects, says what is accepted, and nothing is sent', () => {
  let before;

  beforeEach(() => {
    before = [origin.requests.length, origin.connections()];
  });
  afterEach(() => {
    expect([origin.requests.length, origin.connections()]).toEqual(before);
  });

  test('what may be a secret is not repeated', async () => {
    for (const headers of [{ authorization: 'Bearer s3cret\nmore' }, 'authorization: s3cret', [['authorization', 'Bearer', 's3cret']]]) {
      const { message } = await fetch(origin.url, { headers }).catch((rejection) => rejection);
      expect(message).toMatch(/^headers/);
      expect(message).not.toContain('s3cret');
    }
  });

  test.each(WRONG)('%s', async (name, init, kind, message) => {
    let call;
    // Never thrown at the caller: who awaits later, or not at all, gets a rejection.
    expect(() => {
      call = fetch(origin.url, init);
    }).not.toThrow();
    const error = await call.catch((rejection) => rejection);
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe(kind);
    expect(error.message).toMatch(message);
    expect(error.stack).toContain(__filename);
  });

  test('a Request whose body has been used', async () => {
    const request = new Request(origin.url, { method: 'POST', body: 'b' });
    await request.text();
    await expect(fetch(request)).rejects.toMatchObject({ name: 'TypeError', message: expect.stringMatching(/^body/) });
    const locked = new Request(origin.url, { method: 'POST', body: 'b' });
    locked.body.getReader();
    await expect(fetch(locked)).rejects.toMatchObject({ name: 'TypeError', message: expect.stringMatching(/^body/) });
  });

  test.each([
    ['', 'ERR_INVALID_URL'],
    ['/relative', 'ERR_INVALID_URL'],
    ['http://', 'ERR_INVALID_URL'],
    ['http://a b/', 'ERR_INVALID_URL'],
    ['http://127.0.0.1:99999/', 'ERR_INVALID_URL'],
    [undefined, 'ERR_INVALID_URL'],
    [null, 'ERR_INVALID_URL'],
    [42, 'ERR_INVALID_URL'],
  ])('URL %j', async (input, code) => {
    for (const init of [undefined, {}, { method: 'POST', body: 'b' }]) {
      const error = await fetch(input, init).catch((rejection) => rejection);
      expect(error).toMatchObject({ name: 'TypeError', code });
      expect(error.stack).toContain(__filename);
      expect(error.message + String(error.cause)).toMatch(/url/i);
    }
  });

  test('a Symbol as URL', async () => {
    await expect(fetch(Symbol('url'))).rejects.toMatchObject({ name: 'TypeError' });
  });

  test('options that throw when they are read', async () => {
    const mine = new Error('mine');
    const init = {
      get retry() {
        throw mine;
      },
    };
    await expect(fetch(origin.url, init)).rejects.toBe(mine);
  });
});

test('a single call takes options, not a policy', async () => {
  const server = await startOrigin(ok);
  const error = await caught(fetch(server.url, { retry: createPolicy() }));
  expect(error).toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE', message: expect.stringMatching(/^retry must be .*a policy belongs to the client/) });
  expect(server.requests).toEqual([]);
});

describe('createFetch throws at once', () => {
  test.each([
    ...WRONG.filter(([, init]) => ['retry', 'timeout', 'resume', 'decompress', 'maxResponseSize'].some((name) => Object.hasOwn(init, name))),
    ['an unknown option', { retries: 3 }, 'TypeError', /^options\.retries is not an option.*retry, timeout, resume, decompress, maxResponseSize, headers, proxy, connections, keepAlive, http2, socketPath, lookup, tls/],
    ['a wrong header', { headers: { 'x a': '1' } }, 'TypeError', /^headers/],
    ['options that are no object', 7, 'TypeError', /^options/],
    ['options that are null', null, 'TypeError', /^options/],
  ])('%s', (name, options, kind, message) => {
    let error;
    try {
      createFetch(options);
    } catch (thrown) {
      error = thrown;
    }
    expect(error?.name).toBe(kind);
    expect(error.message).toMatch(message);
  });
});

describe('what is not wrong', () => {
  test('members of init that fetch does not know are ignored, as the standard says', async () => {
    const init = { agent: {}, dispatcher: undefined, cache: 'no-store', credentials: 'omit', mode: 'cors', json: {}, headers: undefined };
    expect((await fetch(origin.url, init)).status).toBe(200);
  });

  test('undefined is not given', async () => {
    const init = {
      method: undefined, headers: undefined, body: undefined, signal: undefined, redirect: undefined, retry: undefined, timeout: undefined,
      decompress: undefined, maxResponseSize: undefined,
    };
    expect((await fetch(origin.url, init)).status).toBe(200);
    expect((await fetch(origin.url, { retry: { retries: undefined, backoff: { base: undefined } }, timeout: { total: undefined } })).status).toBe(200);
    expect((await fetch(origin.url, null)).status).toBe(200);
    expect((await createFetch(undefined)(origin.url)).status).toBe(200);
  });

  test('null is no body and no signal', async () => {
    expect((await fetch(origin.url, { body: null, signal: null })).status).toBe(200);
  });

  test('options of an object that inherits them', async () => {
    const retry = Object.create({ retries: 0 });
    const failing = await startOrigin(rst);
    await expect(fetch(failing.url, { retry })).rejects.toMatchObject({ recovery: { attempts: [{}] } });
  });

  test('an init that is used again, and its options stay as they were', async () => {
    const init = Object.freeze({
      headers: Object.freeze({ 'x-a': '1' }), retry: Object.freeze({ retries: 1 }), timeout: Object.freeze({ total: 9000 }),
    });
    for (let call = 0; call < 2; call++) expect((await fetch(origin.url, init)).status).toBe(200);
  });
});

describe('createFetch', () => {
  const sent = async (client, init) => (await (await client(origin.url, init)).json()).headers;

  test('headers: sent with every call, except where the call sets its own', async () => {
    const client = createFetch({ headers: { 'X-Tenant': 'a', 'x-other': 'o', accept: 'application/json', 'user-agent': 'mine/1' } });
    expect(await sent(client)).toMatchObject({ 'x-tenant': 'a', 'x-other': 'o', accept: 'application/json', 'user-agent': 'mine/1' });
    expect(await sent(client, { headers: { 'x-TENANT': 'b' } })).toMatchObject({ 'x-tenant': 'b', 'x-other': 'o' });
    const request = new Request(origin.url, { headers: { 'x-tenant': 'c' } });
    expect((await (await client(request)).json()).headers).toMatchObject({ 'x-tenant': 'c', 'x-other': 'o' });
    expect((await sent(fetch))['x-tenant']).toBeUndefined();
  });

  test('headers: in every form that fetch takes', async () => {
    for (const headers of [[['x-a', '1'], ['x-a', '2']], new Headers([['x-a', '1'], ['x-a', '2']])]) {
      expect((await sent(createFetch({ headers })))['x-a']).toBe('1, 2');
    }
  });

  test('retry: a call changes what it names and keeps the rest', async () => {
    const client = createFetch({ retry: { retries: 1, backoff: { base: 1, cap: 1 }, methods: ['POST'] } });
    const attempts = async (init) => {
      const failing = await startOrigin(rst);
      await client(failing.url, { method: 'POST', ...init }).catch(() => {});
      return failing.requests.length;
    };
    expect(await attempts()).toBe(2);
    expect(await attempts({ retry: 3 })).toBe(4);
    expect(await attempts({ retry: { retries: 2 } })).toBe(3);
    expect(await attempts({ retry: false })).toBe(1);
    expect(await attempts({ retry: { methods: [] } })).toBe(1);
    expect(await attempts()).toBe(2);
  });

  test('has connections of its own', async () => {
    const shared = await startOrigin(ok);
    for (const client of [createFetch(), createFetch(), fetch]) await (await client(shared.url)).text();
    expect(shared.connections()).toBe(3);
  });

  test('reads its options once: changing them afterwards changes nothing', async () => {
    const options = { retry: { retries: 0 }, headers: { 'x-a': '1' } };
    const client = createFetch(options);
    options.retry.retries = 5;
    options.headers['x-a'] = '2';
    const failing = await startOrigin(inTurn(rst, ok));
    await expect(client(failing.url)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(failing.requests[0].headers['x-a']).toBe('1');
  });

  test('makes a function that is called fetch', () => {
    expect(createFetch()).toBeInstanceOf(Function);
    expect([createFetch().name, fetch.name]).toEqual(['fetch', 'fetch']);
  });
});

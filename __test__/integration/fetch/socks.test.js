'use strict';

/** Calls through a SOCKS proxy that really connects, asks for a password and refuses. */

const { inspect } = require('node:util');

const { createFetch } = require('../../..');
const { closeAll, echo, refusedPort, startOrigin } = require('../../../testing');
const { callInProcess } = require('../../support/call-in-process');
const { makeCertificate } = require('../../support/certificates');
const { closeSocks, startSocks } = require('../../support/socks-server');

const FAST = { backoff: { base: 1, cap: 2 } };
const POST = { method: 'POST', body: 'over' };
/** `user:p@ss:word%`, as a URL has to write it. */
const CREDENTIALS = 'user:p%40ss%3Aword%25@';

let proxy;

beforeEach(async () => {
  proxy = await startSocks();
});

afterEach(async () => {
  await closeSocks();
  await closeAll();
});

const text = async (response) => (await response).text();

const thrownBy = (promise) => promise.then(() => { throw new Error('It did not throw.'); }, (error) => error);

test.each([
  ['a string', (url) => url],
  ['a URL', (url) => new URL(url)],
  ['an object', (url) => ({ url })],
])('the proxy as %s: the server is reached through it', async (_, as) => {
  const origin = await startOrigin(echo);
  const fetch = createFetch({ proxy: as(proxy.url()) });
  await text(fetch(`${origin.url}/path?q=1`, POST));
  expect(proxy.asked).toEqual([`127.0.0.1:${origin.port}`]);
  expect(origin.requests).toMatchObject([{ method: 'POST', path: '/path?q=1' }]);
});

test.each([
  ['socks5', '127.0.0.1'],
  ['socks5h', 'known.test'],
])('%s: a name is given to the proxy as %s', async (scheme, asked) => {
  const origin = await startOrigin(echo);
  const lookup = (host, options, callback) => {
    if (host === 'known.test') callback(null, [{ address: '127.0.0.1', family: 4 }]);
    else callback(Object.assign(new Error(`not known: ${host}`), { code: 'ENOTFOUND' }));
  };
  await text(createFetch({ proxy: proxy.url(scheme), lookup })(`http://known.test:${origin.port}/`));
  expect(proxy.asked).toEqual([`${asked}:${origin.port}`]);
  expect(origin.requests[0].headers.host).toBe(`known.test:${origin.port}`);
});

test('an https server is reached through it, and verified by its own name', async () => {
  const tls = await makeCertificate();
  const origin = await startOrigin(echo, { tls });
  const call = { url: origin.url, init: POST, options: { proxy: proxy.url(), retry: FAST } };
  expect(await callInProcess(call, { trust: tls.cert })).toMatchObject({ status: 200 });
  expect(origin.requests).toMatchObject([{ method: 'POST' }]);
  expect(await callInProcess(call)).toMatchObject({ fault: { kind: 'tls', delivery: 'not-sent' } });
  expect(origin.requests).toHaveLength(1);
  expect(proxy.asked).toEqual(Array(2).fill(`127.0.0.1:${origin.port}`));
});

test('noProxy: its hosts are reached directly', async () => {
  const origin = await startOrigin(echo);
  const through = await startOrigin(echo);
  const fetch = createFetch({ proxy: { url: proxy.url(), noProxy: `127.0.0.1:${origin.port}` } });
  await text(fetch(origin.url));
  await text(fetch(through.url));
  expect(proxy.asked).toEqual([`127.0.0.1:${through.port}`]);
});

describe('a password', () => {
  beforeEach(() => {
    proxy.credentials = 'user:p@ss:word%';
  });

  test('is given to the proxy as it is', async () => {
    const origin = await startOrigin(echo);
    await text(createFetch({ proxy: proxy.url('socks5', CREDENTIALS) })(origin.url));
    expect(proxy.asked).toHaveLength(1);
  });

  test.each([
    ['wrong', 'user:s3cret@', /did not accept/],
    ['missing', '', /wants credentials/],
  ])('that is %s is told, and tried once', async (_, credentials, reason) => {
    const refused = await thrownBy(createFetch({ proxy: proxy.url('socks5h', credentials) })('http://nowhere.test/', POST));
    expect(refused.cause).toMatchObject({
      code: 'ERR_PROXY_TUNNEL', kind: 'client', transient: false, delivery: 'not-sent', phase: 'handshake',
      address: '127.0.0.1', port: proxy.port, reason: expect.stringMatching(reason),
    });
    expect(refused.recovery.gaveUp).toBe('not-transient');
    expect(inspect(refused, { depth: 10, showHidden: true })).not.toContain('s3cret');
  });
});

test('a POST survives a proxy that breaks off and refuses, and arrives once', async () => {
  proxy.refusals = ['reset', 'close', 4];
  const origin = await startOrigin(echo);
  const response = await createFetch({ proxy: proxy.url(), retry: FAST })(origin.url, POST);
  expect(response.status).toBe(200);
  expect(response.recovery.attempts.map(({ fault }) => fault)).toMatchObject([
    { code: 'ERR_PROXY_TUNNEL', ending: 'rst', delivery: 'not-sent', phase: 'handshake' },
    { code: 'ERR_PROXY_TUNNEL', ending: 'fin', delivery: 'not-sent' },
    { code: 'ERR_PROXY_TUNNEL', delivery: 'not-sent', reason: expect.stringContaining('(reply 4)') },
    null,
  ]);
  expect(origin.requests.map(({ method }) => method)).toEqual(['POST']);
});

test('a proxy whose rules do not allow the server is not asked twice', async () => {
  proxy.refusals = [2, 2];
  const error = await thrownBy(createFetch({ proxy: proxy.url(), retry: FAST })('http://127.0.0.1:8080/', POST));
  expect(error.cause).toMatchObject({ code: 'ERR_PROXY_TUNNEL', kind: 'client', reason: expect.stringContaining('(reply 2)') });
  expect(proxy.asked).toHaveLength(1);
});

test('a proxy that is down is named, with its address', async () => {
  const port = await refusedPort();
  const fetch = createFetch({ proxy: `socks5://127.0.0.1:${port}`, retry: { ...FAST, retries: 1 } });
  const error = await thrownBy(fetch('http://127.0.0.1:8080/', POST));
  expect(error.cause).toMatchObject({ code: 'ECONNREFUSED', address: '127.0.0.1', port, delivery: 'not-sent' });
  expect(error.cause.reason).toMatch(/^The proxy could not be reached\./);
  expect(error.recovery.attempts).toHaveLength(2);
});

test.each(['HTTP_PROXY', 'http_proxy'])('the environment may name one in %s', async (name) => {
  const origin = await startOrigin(echo);
  const outcome = await callInProcess({ url: origin.url, options: { proxy: true } }, { env: { [name]: proxy.url() } });
  expect(outcome).toMatchObject({ status: 200 });
  expect(proxy.asked).toEqual([`127.0.0.1:${origin.port}`]);
});

describe('options that make no sense', () => {
  const LONG = 's3cret'.repeat(43);

  test.each([
    ['a scheme that says too little', 'socks://u:s3cret@p.test', /^proxy must be a URL that begins with/],
    ['no host', 'socks5://', /^proxy must be a URL/],
    ['no slashes', 'socks5:p.test', /^proxy must be a URL/],
    ['a host that is none', 'socks5://s3cret%20x', /^proxy must be a URL/],
    ['a password for SOCKS 4', 'socks4a://u:s3cret@p.test', /^proxy must be a URL without credentials/],
    ['a password that is too long', `socks5://u:${LONG}@p.test`, /^proxy must be a URL whose user name and password have at most 255/],
    ['a user name that is too long', `socks5h://${LONG}@p.test`, /^proxy must be a URL whose user name/],
    ['a stray percent sign', 'socks5://u:s3cret%@p.test', /^proxy must be .*%25/],
    ['headers', { url: 'socks5://p.test', headers: { a: 's3cret' } }, /^proxy\.headers must be left out: SOCKS has no headers/],
  ])('%s', (_, option, message) => {
    let error;
    try {
      createFetch({ proxy: option });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE', message: expect.stringMatching(message) });
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('s3cret');
  });

  test('a number of connections, which nobody would count', () => {
    const options = { proxy: 'socks5://p.test', connections: 4 };
    expect(() => createFetch(options)).toThrow(/^connections must be left out with a SOCKS proxy/);
    expect(() => createFetch({ ...options, connections: false })).not.toThrow();
    expect(() => createFetch({ ...options, proxy: 'http://p.test' })).not.toThrow();
  });
});

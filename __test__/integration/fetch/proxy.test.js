'use strict';

/** Calls through a proxy that really forwards, tunnels and refuses. */

const { inspect } = require('node:util');

const { createFetch } = require('../../..');
const { closeAll, echo, refusedPort, startOrigin } = require('../../../testing');
const { callInProcess } = require('../../support/call-in-process');
const { makeCertificate } = require('../../support/certificates');
const { closeProxies, startProxy } = require('../../support/proxy-server');

/** `user:p@ss word`, as a URL has to write it. */
const CREDENTIALS = 'user:p%40ss%20word';
const BASIC = `Basic ${Buffer.from('user:p@ss word').toString('base64')}`;
const FAST = { backoff: { base: 1, cap: 2 } };

let proxy;
let withPassword;

beforeEach(async () => {
  proxy = await startProxy();
  withPassword = proxy.url.replace('//', `//${CREDENTIALS}@`);
});

afterEach(async () => {
  await closeProxies();
  await closeAll();
});

const text = async (response) => (await response).text();

describe('http URLs', () => {
  test.each([
    ['a string', (url) => url],
    ['a URL', (url) => new URL(url)],
    ['an object', (url) => ({ url })],
    ['an object with a URL', (url) => ({ url: new URL(url) })],
  ])('the proxy as %s is told the whole URL, and its own credentials', async (_, as) => {
    const origin = await startOrigin(echo);
    const fetch = createFetch({ proxy: as(withPassword) });
    await text(fetch(`${origin.url}/path?q=1`, { method: 'POST', body: 'over' }));
    expect(proxy.requests).toMatchObject([
      { line: `POST ${origin.url}/path?q=1`, headers: { 'proxy-authorization': BASIC, host: `127.0.0.1:${origin.port}` } },
    ]);
    expect(origin.requests).toMatchObject([{ path: '/path?q=1' }]);
    expect(origin.requests[0].body.toString()).toBe('over');
  });

  test('headers are for the proxy, and the request\'s own come first', async () => {
    const headers = { 'proxy-authorization': 'Bearer token', 'x-team': 'a', 'user-agent': 'for the proxy' };
    const fetch = createFetch({ proxy: { url: proxy.url, headers } });
    await text(fetch('http://nowhere.test/', { headers: { 'user-agent': 'mine' } }));
    expect(proxy.requests[0].headers).toMatchObject({ ...headers, 'user-agent': 'mine' });
  });

  test.each([
    ['a text', '127.0.0.1:1, nowhere.test'],
    ['an array', ['127.0.0.1:1', 'nowhere.test']],
  ])('noProxy as %s: its hosts are reached directly', async (_, noProxy) => {
    const origin = await startOrigin(echo);
    const fetch = createFetch({ proxy: { url: proxy.url, noProxy }, retry: false });
    await expect(fetch('http://nowhere.test/')).rejects.toMatchObject({ cause: { kind: 'dns' } });
    await text(fetch(origin.url));
    expect(proxy.requests.map(({ line }) => line)).toEqual([`GET ${origin.url}/`]);
  });

  test('each hop of a redirect is routed anew', async () => {
    const origin = await startOrigin(echo);
    const first = await startOrigin((_, response) => response.writeHead(307, { location: `${origin.url}/direct` }).end());
    const fetch = createFetch({ proxy: { url: withPassword, noProxy: `127.0.0.1:${origin.port}` } });
    await text(fetch(first.url));
    expect(proxy.requests.map(({ line }) => line)).toEqual([`GET ${first.url}/`]);
    expect(origin.requests[0].headers).not.toHaveProperty('proxy-authorization');
  });

  test('false is none', async () => {
    const origin = await startOrigin(echo);
    await text(createFetch({ proxy: false })(origin.url));
    expect(origin.requests).toHaveLength(1);
  });

  test('407 is an answer', async () => {
    const asking = await startOrigin((_, response) => response.writeHead(407).end());
    expect((await createFetch({ proxy: asking.url })('http://nowhere.test/')).status).toBe(407);
  });

  test('a proxy that is down is named, with its address', async () => {
    const port = await refusedPort();
    const fetch = createFetch({ proxy: `http://127.0.0.1:${port}`, retry: { ...FAST, retries: 1 } });
    const error = await fetch('http://nowhere.test/', { method: 'POST', body: 'x' }).catch((thrown) => thrown);
    expect(error.cause).toMatchObject({ code: 'ECONNREFUSED', address: '127.0.0.1', port, delivery: 'not-sent' });
    expect(error.cause.reason).toMatch(/^The proxy could not be reached\./);
    expect(error.recovery.attempts).toHaveLength(2);
  });
});

describe('https URLs', () => {
  let trust;
  let origin;

  beforeEach(async () => {
    const tls = await makeCertificate();
    trust = tls.cert;
    origin = await startOrigin(echo, { tls });
  });

  const call = (init, proxyOption = withPassword) =>
    callInProcess({ url: origin.url, init, options: { proxy: proxyOption, retry: FAST } }, { trust });

  test('go through a tunnel in which the proxy sees nothing, and the server no credentials', async () => {
    const headers = { 'x-team': 'a' };
    const outcome = await call({ method: 'POST', body: 'over' }, { url: withPassword, headers });
    expect(outcome).toMatchObject({ status: 200 });
    expect(proxy.tunnels).toMatchObject([
      { authority: `127.0.0.1:${origin.port}`, headers: { 'proxy-authorization': BASIC, 'x-team': 'a' } },
    ]);
    expect(proxy.requests).toEqual([]);
    expect(Object.keys(origin.requests[0].headers)).not.toEqual(expect.arrayContaining(['proxy-authorization']));
    expect(origin.requests[0].headers).not.toHaveProperty('x-team');
  });

  test.each(['GET', 'POST'])('a %s survives tunnels that break, and arrives once', async (method) => {
    proxy.refusals = ['reset', '', 'HTTP/1.1 503 Busy\r\n\r\n'];
    const outcome = await call({ method, body: method === 'POST' ? 'over' : undefined });
    expect(outcome).toMatchObject({ status: 200 });
    const faults = outcome.recovery.attempts.map(({ fault }) => fault);
    expect(faults).toMatchObject([
      { code: 'ERR_PROXY_TUNNEL', ending: 'rst', delivery: 'not-sent', phase: 'handshake' },
      { code: 'ERR_PROXY_TUNNEL', ending: 'fin', delivery: 'not-sent' },
      { code: 'ERR_PROXY_TUNNEL', status: 503, delivery: 'not-sent' },
      null,
    ]);
    expect(origin.requests.map((request) => request.method)).toEqual([method]);
  });

  test.each([
    [407, /wants credentials/],
    [403, /answered CONNECT with 403/],
  ])('a proxy that refuses with %i is not asked twice', async (status, reason) => {
    proxy.refusals = Array(9).fill(`HTTP/1.1 ${status} No\r\n\r\n`);
    const outcome = await call({ method: 'POST', body: 'over' });
    expect(outcome).toMatchObject({
      code: 'ERR_PROXY_TUNNEL',
      fault: { status, kind: 'client', transient: false, delivery: 'not-sent', address: '127.0.0.1', port: proxy.port },
      recovery: { gaveUp: 'not-transient' },
    });
    expect(outcome.fault.reason).toMatch(reason);
    expect(proxy.tunnels).toHaveLength(1);
    expect(outcome.all).not.toMatch(/p@ss|p%40ss/);
    expect(outcome.all).not.toContain(BASIC.slice(6));
  });
});

test('credentials are not taken from a request, where the server would read them', async () => {
  const fetch = createFetch({ proxy: proxy.url });
  const error = await fetch('https://nowhere.test/', { headers: { 'proxy-authorization': BASIC } }).catch((thrown) => thrown);
  expect(error.cause).toMatchObject({ code: 'ERR_PROXY_INVALID_CONFIG', kind: 'client', delivery: 'not-sent' });
  expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(BASIC.slice(6));
  expect(proxy.tunnels).toEqual([]);
});

describe('options that make no sense', () => {
  const SECRET = 'http://user:s3cret@p.test';

  test.each([
    ['proxy: null', null, 'ERR_INVALID_ARG_TYPE', /^proxy must be a proxy's URL/],
    ['proxy: 3128', 3128, 'ERR_INVALID_ARG_TYPE', /^proxy must be a proxy's URL/],
    ['no URL', 'proxy:s3cret', 'ERR_INVALID_ARG_VALUE', /^proxy must be a URL that begins with http:\/\/ or https:\/\//],
    ['not parsed', 'http://s3cret:x', 'ERR_INVALID_ARG_VALUE', /^proxy must be a URL/],
    ['another scheme', 'ftp://u:s3cret@p.test', 'ERR_INVALID_ARG_VALUE', /^proxy must be .*socks5:/],
    ['a percent sign in a password', 'http://u:s3cret%@p.test', 'ERR_INVALID_ARG_VALUE', /^proxy must be .*%25/],
    ['an unknown key', { uri: SECRET }, 'ERR_INVALID_ARG_VALUE', /^proxy\.uri is not an option\. Accepted: url, headers, noProxy/],
    ['an object without url', {}, 'ERR_INVALID_ARG_TYPE', /^proxy\.url must be a URL/],
    ['a url of a wrong scheme', { url: 'ftp://u:s3cret@p.test' }, 'ERR_INVALID_ARG_VALUE', /^proxy\.url must be/],
    ['headers that are none', { url: SECRET, headers: 's3cret' }, 'ERR_INVALID_ARG_VALUE', /^proxy\.headers must be/],
    ['a header that is none', { url: SECRET, headers: { 'a b': '' } }, 'ERR_INVALID_ARG_VALUE', /^proxy\.headers must be named/],
    ['a value that is none', { url: SECRET, headers: { a: 's3cret\u0100' } }, 'ERR_INVALID_ARG_VALUE', /^proxy\.headers\["a"\] must be/],
    ['host', { url: SECRET, headers: { Host: 'x' } }, 'ERR_INVALID_ARG_VALUE', /^proxy\.headers\["host"\] must be left out/],
    [
      'credentials given twice', { url: SECRET, headers: { 'Proxy-Authorization': 'Bearer s3cret' } },
      'ERR_INVALID_ARG_VALUE', /^proxy\.headers\["proxy-authorization"\] must be left out/,
    ],
    ['noProxy of a wrong type', { url: SECRET, noProxy: /a/ }, 'ERR_INVALID_ARG_TYPE', /^proxy\.noProxy must be a list/],
    ['two hosts in one', { url: SECRET, noProxy: ['a', 'b,c'] }, 'ERR_INVALID_ARG_VALUE', /^proxy\.noProxy\[1\] must be one host/],
  ])('%s', (_, option, code, message) => {
    let error;
    try {
      createFetch({ proxy: option });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ name: 'TypeError', code, message: expect.stringMatching(message) });
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('s3cret');
  });
});

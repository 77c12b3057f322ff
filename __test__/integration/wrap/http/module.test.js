'use strict';

/** The wrapped module as a module. */

const http = require('node:http');
const https = require('node:https');
const { once } = require('node:events');

const { createPolicy, wrapHttp } = require('../../../..');
const { closeAll, fin, inTurn, ok, refusedPort, resetServer, rst, startOrigin } = require('../../../../testing');
const { makeCertificate } = require('../../../support/certificates');
const { readDocument } = require('../../../support/snippets');

const QUICK = { backoff: { base: 1, cap: 1 } };

afterEach(closeAll);

test('it has all that the module has, and the module is as before', () => {
  const before = Object.getOwnPropertyDescriptors(http);
  const wrapped = wrapHttp(http);
  expect(Object.keys(wrapped).sort()).toEqual(Object.keys(http).sort());
  for (const name of Object.keys(http).filter((key) => !['request', 'get'].includes(key))) {
    expect(wrapped[name]).toBe(http[name]);
  }
  expect(Object.keys({ ...wrapped })).toContain('createServer');
  wrapped.createServer = 'mine';
  wrapped.maxHeaderSize = 1;
  expect([wrapped.createServer, wrapped.maxHeaderSize]).toEqual(['mine', 1]);
  expect(Object.getOwnPropertyDescriptors(http)).toEqual(before);
});

test('every file that its page links to is there', () => {
  expect(readDocument('docs/wrap-http.md').missing()).toEqual([]);
});

test('its functions need no receiver', async () => {
  const origin = await startOrigin();
  const { get, request } = wrapHttp(http);
  for (const ask of [get, (url) => request(url).end()]) {
    const [response] = await once(ask(origin.url), 'response');
    expect(response.resume().statusCode).toBe(200);
  }
});

test('the namespace of an import works too, and brings no way around', () => {
  const namespace = { ...http, default: http };
  expect(wrapHttp(namespace).default).toBeUndefined();
});

test('what was put into the module later is seen', () => {
  const module = { ...http };
  const wrapped = wrapHttp(module);
  module.createServer = 'patched';
  expect(wrapped.createServer).toBe('patched');
});

describe('globalAgent', () => {
  test('is the module\'s, until the program sets another for these requests', async () => {
    const origin = await startOrigin();
    const wrapped = wrapHttp(http);
    expect(wrapped.globalAgent).toBe(http.globalAgent);
    const own = new http.Agent({ keepAlive: true });
    wrapped.globalAgent = own;
    expect(wrapped.globalAgent).toBe(own);
    expect(http.globalAgent).not.toBe(own);
    const request = wrapped.get(origin.url);
    expect(request.agent).toBe(own);
    const [response] = await once(request, 'response');
    response.resume();
    await once(request, 'close');
    expect(Object.values(own.freeSockets).flat()).toHaveLength(1);
    const other = new http.Agent();
    expect(wrapped.get(origin.url, { agent: other }).on('error', () => {}).agent).toBe(other);
    const oneOff = wrapped.get(origin.url, { agent: false }).on('error', () => {}).agent;
    expect(oneOff).toBeInstanceOf(http.Agent);
    expect(oneOff).not.toBe(own);
    own.destroy();
  });

  test('of https is that of https', async () => {
    const certificate = await makeCertificate();
    const origin = await startOrigin(inTurn(fin, ok), { tls: certificate });
    const wrapped = wrapHttp(https, { retry: QUICK });
    wrapped.globalAgent = new https.Agent({ ca: certificate.cert });
    const [response] = await once(wrapped.get(origin.url), 'response');
    expect(response.resume().recovery.attempts).toHaveLength(2);
  });
});

describe('https', () => {
  test('a reset is survived with the caller\'s certificates; the options of TLS stay', async () => {
    const certificate = await makeCertificate({ name: 'inventory.test' });
    const origin = await startOrigin(inTurn(fin, fin, ok), { tls: certificate });
    const request = wrapHttp(https, { retry: QUICK }).request({
      host: '127.0.0.1', port: origin.port, servername: 'inventory.test', ca: certificate.cert, method: 'PUT',
    });
    request.setHeader('Host', 'elsewhere.test');
    request.end('x');
    const [response] = await once(request, 'response');
    response.resume();
    expect(response.recovery.attempts).toHaveLength(3);
    expect(origin.requests.map(({ headers }) => headers.host)).toEqual(['elsewhere.test', 'elsewhere.test', 'elsewhere.test']);
  });

  test('a Host that was set later does not change whose certificate is asked for', async () => {
    const certificate = await makeCertificate();
    const origin = await startOrigin(inTurn(fin, ok), { tls: certificate });
    // By the IP address, as in the first attempt: the certificate is not for `elsewhere.test`.
    const request = wrapHttp(https, { retry: QUICK }).request(origin.url, { ca: certificate.cert });
    request.setHeader('Host', 'elsewhere.test');
    request.end();
    const [response] = await once(request, 'response');
    expect(response.resume().recovery.attempts).toHaveLength(2);
  });

  test('a certificate that is not trusted is not asked for again', async () => {
    const origin = await startOrigin(ok, { tls: await makeCertificate() });
    const [error] = await once(wrapHttp(https, { retry: QUICK }).get(origin.url), 'error');
    expect(error).toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT', recovery: { gaveUp: 'not-transient' } });
    expect(error.recovery.attempts).toHaveLength(1);
  });
});

describe('bad options', () => {
  test.each([
    ['no module', () => wrapHttp(), 'ERR_INVALID_ARG_TYPE', /^module must be http or https/],
    ['a module without request', () => wrapHttp({ get() {} }), 'ERR_INVALID_ARG_TYPE', /^module must be/],
    ['one that is wrapped', () => wrapHttp(wrapHttp(http)), 'ERR_INVALID_ARG_VALUE', /^module must be one that is not wrapped/],
    ['an unknown option', () => wrapHttp(http, { retries: 3 }), 'ERR_INVALID_ARG_VALUE', /^options\.retries is not an option/],
    ['a retry that is none', () => wrapHttp(http, { retry: 'x' }), 'ERR_INVALID_ARG_TYPE', /^options\.retry must be/],
    ['retries below 0', () => wrapHttp(http, { retry: { retries: -1 } }), 'ERR_OUT_OF_RANGE', /^options\.retry\.retries must be/],
    ['a hook that is none', () => wrapHttp(http, { onRequest: 1 }), 'ERR_INVALID_ARG_TYPE', /^options\.onRequest must be/],
  ])('%s', (name, wrap, code, message) => {
    expect(wrap).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
  });
});

describe('onRequest', () => {
  /** What the server received of a request made with these headers. */
  async function received(headers, onRequest) {
    const origin = await startOrigin(inTurn(rst, ok));
    const wrapped = wrapHttp(http, { retry: QUICK, onRequest });
    const [response] = await once(wrapped.get(`${origin.url}/a?b`, { headers }), 'response');
    response.resume();
    expect(origin.requests[1].rawHeaders).toEqual(origin.requests[0].rawHeaders);
    return { url: origin.url, rawHeaders: origin.requests[0].rawHeaders };
  }

  test.each([
    ['an object', { 'X-Old': ['1', '2'], gone: '1', 'X-Over': '1' }],
    ['names and values in turn', ['Host', 'x', 'X-Old', '1', 'x-old', '2', 'gone', '1', 'X-Over', '1']],
    ['pairs', [['Host', 'x'], ['X-Old', '1'], ['x-old', '2'], ['gone', '1'], ['X-Over', '1']]],
  ])('reads and changes the headers, given as %s, once for all attempts', async (name, given) => {
    const copy = structuredClone(given);
    const calls = [];
    const { url, rawHeaders } = await received(given, (headers, context) => {
      calls.push([context, headers.get('x-old'), headers.get('none'), headers.has('GONE'), headers.has('none')]);
      headers.set('traceparent', '00-1');
      headers.set('x-over', '2');
      headers.delete('Gone');
    });
    expect(calls).toEqual([[{ method: 'GET', url: `${url}/a?b` }, '1, 2', null, true, false]]);
    const pairs = rawHeaders.flatMap((text, at) => (at % 2 ? [] : [`${text}: ${rawHeaders[at + 1]}`]));
    expect(pairs).toEqual(expect.arrayContaining(['traceparent: 00-1', 'X-Over: 2']));
    expect(rawHeaders).not.toContain('gone');
    // The caller's own are as they were.
    expect(given).toEqual(copy);
  });

  test('without headers, and what it throws is thrown', async () => {
    const { rawHeaders } = await received(undefined, (headers) => headers.set('X-Trace', '1'));
    expect(rawHeaders).toContain('X-Trace');
    const failing = wrapHttp(http, { onRequest: () => { throw new Error('mine'); } });
    expect(() => failing.get('http://127.0.0.1/')).toThrow('mine');
    expect(() => wrapHttp(http, { onRequest: async () => {} }).get('http://127.0.0.1/')).toThrow(/onRequest must be/);
  });
});

describe('the policy', () => {
  test('its breaker refuses without a connection, and the error says so', async () => {
    const origin = await resetServer();
    const policy = createPolicy({ retries: 0, breaker: { minCalls: 2, failureRate: 0.5, window: 60_000, openFor: 60_000 } });
    const wrapped = wrapHttp(http, { retry: policy });
    for (let call = 0; call < 2; call += 1) await once(wrapped.get(origin.url), 'error');
    const request = wrapped.request(origin.url, { method: 'POST' });
    request.setHeader('x', '1');
    request.end('body');
    const [error] = await once(request, 'error');
    expect(error).toMatchObject({ code: 'ERR_BREAKER_OPEN', recovery: { gaveUp: 'breaker-open' } });
    expect(error.cause).toMatchObject({ name: 'FaultError', kind: 'refused', delivery: 'not-sent' });
    expect(origin.requests).toHaveLength(2);
  });

  test('goes by the origin as URL writes it', async () => {
    const policy = createPolicy({ retries: 0 });
    const wrapped = wrapHttp(http, { retry: policy });
    const port = await refusedPort();
    await once(wrapped.get({ hostname: 'LOCALHOST', port, family: 4 }), 'error');
    await once(wrapped.get(`http://localhost:${port}/x`, { family: 4 }), 'error');
    await once(wrapped.get({ host: '::1', port: String(port) }), 'error');
    await once(wrapped.get({ socketPath: '/nowhere/unreset.sock' }), 'error');
    expect(Object.keys(policy.stats()).sort()).toEqual([
      `http://[::1]:${port}`, `http://localhost:${port}`, 'unix:/nowhere/unreset.sock',
    ]);
  });

  test('a call that could not even begin says nothing of the server', async () => {
    const policy = createPolicy({ breaker: { minCalls: 1, failureRate: 0.1, window: 60_000, openFor: 60_000 } });
    const wrapped = wrapHttp(http, { retry: policy });
    const origin = await startOrigin();
    for (let call = 0; call < 3; call += 1) expect(() => wrapped.get(origin.url, { method: 'B AD' })).toThrow();
    const [response] = await once(wrapped.get(origin.url), 'response');
    expect(response.resume().statusCode).toBe(200);
  });
});

'use strict';

/** `wrapAxios` against servers that really fail, over each of axios's own adapters. */

const axios = require('axios');
const { wrapAxios } = require('../../..');
const {
  FaultProxy, closeAll, fin, inTurn, ok, partial, refusedPort, reply, rst, silence, startOrigin,
} = require('../../../testing');
const { ADAPTERS, QUICK, caught, codesOf, wrapped } = require('../../support/wrap-axios');

afterEach(closeAll);

describe.each(ADAPTERS)('over the %s adapter', (adapter) => {
  const client = (retry, config, options) => wrapped(retry, { adapter, ...config }, options);

  test.each([
    ['RST before the answer', rst, { code: 'ECONNRESET', phase: 'wait', delivery: 'unknown' }],
    ['FIN before the answer', fin, { code: 'ECONNRESET', phase: 'wait', delivery: 'unknown' }],
    ['RST inside the body', partial(rst), { code: 'ECONNRESET', phase: 'receive', delivery: 'answered' }],
    ['FIN inside the body', partial(fin), { code: 'ECONNRESET', phase: 'receive', delivery: 'answered' }],
    ['FIN between two chunks', partial(fin, { headers: {} }), { code: 'ECONNRESET', phase: 'receive', delivery: 'answered' }],
    ['503', reply(503), { code: 'HTTP_503', kind: 'server', delivery: 'answered' }],
    ['429 with a date that has passed', reply(429, { 'retry-after': 'Mon, 01 Jan 2024 00:00:00 GMT' }), { code: 'HTTP_429', kind: 'throttled' }],
    ['500', reply(500), { code: 'HTTP_500' }],
  ])('%s: a GET is made again, and says so', async (name, fault, told) => {
    const origin = await startOrigin(inTurn(fault, fault, reply(200, {}, { stock: 120 })));
    const response = await client().get(`${origin.url}/stock`, { params: { sku: 'bolt' } });
    expect(response.data).toEqual({ stock: 120 });
    expect(origin.requests.map(({ path }) => path)).toEqual(Array(3).fill('/stock?sku=bolt'));
    expect(response.recovery).toMatchObject({ resumed: 0, bytesRefetched: 0 });
    expect(response.recovery.attempts.map(({ fault: met }) => met)).toEqual(
      [expect.objectContaining(told), expect.objectContaining(told), null],
    );
  });

  test.each([
    ['RST before the answer', rst, 'ECONNRESET', 'unknown'],
    ['FIN before the answer', fin, 'ECONNRESET', 'unknown'],
    ['RST inside the body', partial(rst), 'ECONNRESET', 'answered'],
    ['503', reply(503), 'HTTP_503', 'answered'],
  ])('%s: a POST is not', async (name, fault, code, delivery) => {
    const origin = await startOrigin(inTurn(fault, ok));
    const error = await caught(client().post(origin.url, { sku: 'bolt' }));
    expect(error).toBeInstanceOf(axios.AxiosError);
    expect(error.recovery).toMatchObject({ attempts: [{ fault: { code, delivery } }], gaveUp: 'not-idempotent' });
    expect(origin.requests).toHaveLength(1);
  });

  test.each(['head', 'options', 'put', 'delete'])('%s is repeated', async (method) => {
    const origin = await startOrigin(inTurn(rst, reply(204)));
    const { status } = await client().request({ method, url: origin.url });
    expect(status).toBe(204);
    expect(origin.requests.map((request) => request.method.toLowerCase())).toEqual([method, method]);
  });

  test.each(['patch', 'query', 'PROPFIND'])('%s is not', async (method) => {
    const origin = await startOrigin(inTurn(rst, ok));
    const error = await caught(client().request({ method, url: origin.url }));
    expect(error.recovery.gaveUp).toBe('not-idempotent');
    expect(origin.requests).toHaveLength(1);
  });

  test('a POST with an Idempotency-Key is repeated, with the same key and body', async () => {
    const origin = await startOrigin(inTurn(rst, reply(201)));
    const { status } = await client().post(origin.url, { sku: 'bolt' }, { headers: { 'idempotency-key': 'order-4711' } });
    expect(status).toBe(201);
    expect(origin.requests.map(({ headers, body }) => [headers['idempotency-key'], body.toString()])).toEqual(
      Array(2).fill(['order-4711', '{"sku":"bolt"}']),
    );
  });

  test('a POST that was refused is repeated: not one byte had left', async () => {
    const origin = await startOrigin(reply(201));
    const proxy = await FaultProxy.listen({ upstream: origin.port });
    const outage = proxy.add({ type: 'refuse', on: 'accept' });
    const onRetry = ({ fault }) => {
      expect(fault).toMatchObject({ code: 'ECONNREFUSED', phase: 'connect', delivery: 'not-sent' });
      outage.remove();
    };
    const { status, recovery } = await client({ onRetry }).post(proxy.url('/orders'), { sku: 'bolt' });
    expect(status).toBe(201);
    expect(codesOf(recovery)).toEqual(['ECONNREFUSED', null]);
  });

  test('when retries run out, the last error is axios\'s own, with recovery', async () => {
    const origin = await startOrigin(rst);
    const error = await caught(client({ retries: 2 }).get(origin.url));
    expect(error).toBeInstanceOf(axios.AxiosError);
    expect(axios.isAxiosError(error)).toBe(true);
    // The fetch adapter has a code of its own for all that fails below it.
    expect(error.code).toBe(adapter === 'http' ? 'ECONNRESET' : 'ERR_NETWORK');
    expect(codesOf(error.recovery)).toEqual(['ECONNRESET', 'ECONNRESET', 'ECONNRESET']);
    expect(error.recovery.gaveUp).toBe('attempts-exhausted');
    expect(origin.requests).toHaveLength(3);
  });

  test('when they run out on a status, it is axios\'s own error with the last response', async () => {
    const origin = await startOrigin(inTurn(reply(503), reply(503, {}, { error: 'still busy' })));
    const error = await caught(client({ retries: 1 }).get(origin.url));
    expect(error).toBeInstanceOf(axios.AxiosError);
    expect(error).toMatchObject({
      code: 'ERR_BAD_RESPONSE', status: 503, message: 'Request failed with status code 503',
      response: { status: 503, data: { error: 'still busy' } },
      recovery: { gaveUp: 'attempts-exhausted' },
    });
  });

  test('a status that validateStatus accepts is judged before it is the answer', async () => {
    const recovering = await startOrigin(inTurn(reply(503), ok));
    expect(await client().get(recovering.url, { validateStatus: null })).toMatchObject({ status: 200, data: 'ok' });
    const busy = await startOrigin(reply(503));
    const response = await client({ retries: 1 }).get(busy.url, { validateStatus: () => true });
    expect(response).toMatchObject({ status: 503, recovery: { gaveUp: 'attempts-exhausted' } });
    expect(busy.requests).toHaveLength(2);
  });

  test('a status that nobody repeats is axios\'s ordinary outcome', async () => {
    const origin = await startOrigin(reply(404));
    const error = await caught(client().get(origin.url));
    expect(error).toMatchObject({ code: 'ERR_BAD_REQUEST', status: 404 });
    expect(error.recovery).toEqual({ attempts: [{ fault: null, delay: 0 }], resumed: 0, bytesRefetched: 0 });
    expect(origin.requests).toHaveLength(1);
  });

  test('a listed status is repeated', async () => {
    const origin = await startOrigin(inTurn(reply(404), ok));
    const { recovery } = await client({ statuses: [404] }).get(origin.url);
    expect(codesOf(recovery)).toEqual(['HTTP_404', null]);
  });

  test('Retry-After is waited for', async () => {
    const origin = await startOrigin(inTurn(reply(503, { 'retry-after': '1' }), ok));
    const { recovery } = await client().get(origin.url);
    expect(recovery.attempts[1].delay).toBeGreaterThanOrEqual(1000);
  });

  test('axios\'s timeout is for each attempt', async () => {
    const origin = await startOrigin(inTurn(silence, silence, ok));
    const response = await client().get(origin.url, { timeout: 50 });
    expect(response.data).toBe('ok');
    expect(response.recovery.attempts[0].fault).toMatchObject({ code: 'ETIMEDOUT', kind: 'timeout', delivery: 'unknown' });
    const silent = await startOrigin(silence);
    const error = await caught(client({ retries: 1 }).get(silent.url, { timeout: 50 }));
    expect(error).toBeInstanceOf(axios.AxiosError);
    expect(error.message).toBe('timeout of 50ms exceeded');
    expect(error.code).toBe(adapter === 'http' ? 'ECONNABORTED' : 'ETIMEDOUT');
    expect(codesOf(error.recovery)).toEqual(['ETIMEDOUT', 'ETIMEDOUT']);
  });

  test('what is not transient is not repeated', async () => {
    const error = await caught(client().get('http://['));
    expect(error.recovery.gaveUp).toBe('not-transient');
    expect(error.recovery.attempts).toHaveLength(1);
  });

  test('a POST that was redirected and then refused is not repeated: its first server has had it', async () => {
    const refused = await refusedPort();
    const origin = await startOrigin(reply(303, { location: `http://127.0.0.1:${refused}/` }, ''));
    const error = await caught(client().post(`${origin.url}/orders`, { sku: 'bolt' }));
    expect(error.recovery).toMatchObject({
      attempts: [{ fault: { code: 'ECONNREFUSED', delivery: 'unknown' } }], gaveUp: 'not-idempotent',
    });
    expect(origin.requests).toHaveLength(1);
  });

  test('a POST that was refused is repeated where the host has a name as well', async () => {
    const origin = await startOrigin(reply(201));
    const proxy = await FaultProxy.listen({ upstream: origin.port });
    const outage = proxy.add({ type: 'refuse', on: 'accept' });
    const url = proxy.url('/orders').replace('127.0.0.1', 'localhost');
    const { status } = await client({ onRetry: () => outage.remove() }).post(url, { sku: 'bolt' });
    expect(status).toBe(201);
  });

  test('425 says that nothing was done, unless another server has redirected there', async () => {
    const early = await startOrigin(inTurn(reply(425), reply(201)));
    // fetch does not tell whether it was redirected, so its word is needed that it was not.
    const direct = await client().post(early.url, {}, { maxRedirects: 0 });
    expect(codesOf(direct.recovery)).toEqual(['HTTP_425', null]);
    const target = await startOrigin(reply(425));
    const origin = await startOrigin(reply(303, { location: target.url }, ''));
    const error = await caught(client().post(origin.url, {}));
    expect(error.status).toBe(425);
    expect([origin.requests.length, target.requests.length]).toEqual([1, 1]);
  });

  test('a GET that was redirected is repeated from its beginning', async () => {
    const target = await startOrigin(inTurn(rst, ok));
    const origin = await startOrigin(reply(302, { location: target.url }, ''));
    const { data, recovery } = await client().get(origin.url);
    expect(data).toBe('ok');
    expect(codesOf(recovery)).toEqual(['ECONNRESET', null]);
    expect([origin.requests.length, target.requests.length]).toEqual([2, 2]);
  });

  test('maxRedirects: 0 leaves the redirect as the answer', async () => {
    const origin = await startOrigin(inTurn(rst, reply(302, { location: '/other' }, '')));
    const options = { maxRedirects: 0, validateStatus: (status) => status === 302 };
    expect(await client().get(origin.url, options)).toMatchObject({ status: 302, data: '' });
    expect(origin.requests).toHaveLength(2);
  });
});

describe('a stale connection (the http adapter tells which was used before)', () => {
  test('a GET is made again at once, on a fresh connection', async () => {
    // Both connections have answered; from then on each of them is dead and only a new one answers.
    let warm = 0;
    const together = [];
    const origin = await startOrigin((request, response) => {
      if (request.path === '/warm') {
        together.push(() => ok(request, response));
        warm += 1;
        if (warm === 2) together.forEach((answer) => answer());
        return undefined;
      }
      return request.onConnection > 1 ? rst(request, response) : ok(request, response);
    });
    const httpAgent = new (require('node:http').Agent)({ keepAlive: true });
    const client = wrapAxios(axios.create({ httpAgent }), { retry: { backoff: { base: 5000 }, retries: 1 } });
    await Promise.all([client.get(`${origin.url}/warm`), client.get(`${origin.url}/warm`)]);
    const { recovery } = await client.get(`${origin.url}/stock`);
    expect(codesOf(recovery)).toEqual(['ECONNRESET', null]);
    expect(recovery.attempts[1].delay).toBe(0);
    expect(origin.connections()).toBe(3);
    httpAgent.destroy();
  });

  test('a POST is not', async () => {
    const origin = await startOrigin((request, response) => (request.onConnection > 1 ? rst : ok)(request, response));
    const httpAgent = new (require('node:http').Agent)({ keepAlive: true });
    const client = wrapped(QUICK, { httpAgent });
    await client.get(origin.url);
    const error = await caught(client.post(origin.url, { sku: 'bolt' }));
    expect(error.recovery).toMatchObject({ attempts: [{ fault: { delivery: 'unknown' } }], gaveUp: 'not-idempotent' });
    httpAgent.destroy();
  });
});

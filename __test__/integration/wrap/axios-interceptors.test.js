'use strict';

/** Retries are below interceptors and transforms, and above the adapter, whoever that is. */

const http = require('node:http');
const MockAdapter = require('axios-mock-adapter');
const axios = require('axios');
const { wrapAxios } = require('../../..');
const { closeAll, inTurn, ok, reply, rst, startOrigin } = require('../../../testing');
const { runProgram } = require('../../support/program');
const { ADAPTERS, QUICK, caught, codesOf, scripted, wrapped } = require('../../support/wrap-axios');

afterEach(closeAll);

const reset = () => {
  throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' });
};
const answered = () => ({});

describe.each(ADAPTERS)('over the %s adapter', (adapter) => {
  test('interceptors run once around the call, whether they were added before or after wrapping', async () => {
    const origin = await startOrigin(inTurn(rst, reply(503), reply(200, {}, { stock: 120 })));
    const told = [];
    const noted = (name) => (value) => {
      told.push(name);
      return value;
    };
    const instance = axios.create({ adapter });
    instance.interceptors.request.use(noted('request before'));
    instance.interceptors.response.use(noted('response before'));
    const client = wrapAxios(instance, { retry: QUICK });
    instance.interceptors.request.use(noted('request after'));
    client.interceptors.response.use(noted('response after'));
    const { data } = await client.get(origin.url);
    expect(data).toEqual({ stock: 120 });
    expect(told).toEqual(['request after', 'request before', 'response before', 'response after']);
    expect(origin.requests).toHaveLength(3);
  });

  test('rejection interceptors see the last error only, with its recovery', async () => {
    const origin = await startOrigin(rst);
    const client = wrapped({ retries: 2 }, { adapter });
    const seen = jest.fn((error) => Promise.reject(error));
    client.interceptors.response.use(null, seen);
    const error = await caught(client.get(origin.url));
    expect(seen).toHaveBeenCalledTimes(1);
    expect(seen).toHaveBeenCalledWith(error);
    expect(error.recovery.attempts).toHaveLength(3);
  });

  test('transforms are applied once', async () => {
    const origin = await startOrigin(inTurn(rst, rst, ok));
    const transformRequest = jest.fn((data) => JSON.stringify({ wrapped: data }));
    const transformResponse = jest.fn((data) => `${data}!`);
    const { data } = await wrapped(QUICK, { adapter }).put(origin.url, { sku: 'bolt' }, { transformRequest, transformResponse });
    expect(data).toBe('ok!');
    expect(transformRequest).toHaveBeenCalledTimes(1);
    expect(transformResponse).toHaveBeenCalledTimes(1);
    expect(origin.requests.map(({ body }) => body.toString())).toEqual(Array(3).fill('{"wrapped":{"sku":"bolt"}}'));
  });

  test('a transform that throws is the caller\'s own, and not repeated', async () => {
    const origin = await startOrigin();
    const transformResponse = () => {
      throw new RangeError('no such unit');
    };
    await expect(wrapped(QUICK, { adapter }).get(origin.url, { transformResponse })).rejects.toThrow('no such unit');
    expect(origin.requests).toHaveLength(1);
  });
});

describe('an interceptor that makes the call anew', () => {
  /** Answers with 401 to the old token, and fails each first request with either token. */
  async function tokenServer() {
    const seen = new Set();
    return startOrigin((request, response) => {
      const { authorization } = request.headers;
      if (!seen.has(authorization)) {
        seen.add(authorization);
        return rst(request, response);
      }
      return (authorization === 'Bearer new' ? ok : reply(401))(request, response);
    });
  }

  function refreshToken(instance, caller, recoveries) {
    instance.interceptors.response.use(null, (error) => {
      if (error.response?.status !== 401 || error.config.refreshed) throw error;
      recoveries.push(error.recovery);
      error.config.refreshed = true;
      error.config.headers.set('Authorization', 'Bearer new');
      return caller(error.config);
    });
  }

  test.each([
    ['the wrapped instance', ({ client }) => client],
    ['the given instance', ({ instance }) => instance],
    ['another wrapped instance', () => wrapped(QUICK)],
  ])('with %s: retried once more, not within each other', async (name, pick) => {
    const origin = await tokenServer();
    const instance = axios.create({ headers: { Authorization: 'Bearer old' } });
    const client = wrapAxios(instance, { retry: QUICK });
    const recoveries = [];
    refreshToken(instance, pick({ client, instance }), recoveries);
    const response = await client.put(origin.url, { sku: 'bolt' });
    expect(response.data).toBe('ok');
    expect(origin.requests.map(({ headers }) => headers.authorization)).toEqual(
      ['Bearer old', 'Bearer old', 'Bearer new', 'Bearer new'],
    );
    expect(new Set(origin.requests.map(({ body }) => body.toString()))).toEqual(new Set(['{"sku":"bolt"}']));
    // Each call tells of itself.
    expect(codesOf(recoveries[0])).toEqual(['ECONNRESET', null]);
    expect(codesOf(response.recovery)).toEqual(['ECONNRESET', null]);
  });

  test('and fails again: two calls, not their square', async () => {
    const adapter = jest.fn((config) => {
      throw new axios.AxiosError('read ECONNRESET', 'ECONNRESET', config);
    });
    const client = wrapAxios(axios.create({ adapter }), { retry: { ...QUICK, retries: 2 } });
    client.interceptors.response.use(null, (error) => {
      if (error.config.again) throw error;
      return client({ ...error.config, again: true });
    });
    const error = await caught(client.get('/x'));
    expect(error.recovery.attempts).toHaveLength(3);
    expect(adapter).toHaveBeenCalledTimes(6);
  });
});

describe('adapters', () => {
  test.each([
    ['a name', 'http'],
    ['names', ['xhr', 'http']],
    ['a function among names', [scripted(reset, answered), 'http']],
    ['a function', scripted(reset, answered)],
  ])('%s in the config of a call', async (name, adapter) => {
    const origin = await startOrigin(inTurn(rst, ok));
    const { recovery } = await wrapped(QUICK).get(origin.url, { adapter });
    expect(codesOf(recovery)).toEqual(['ECONNRESET', null]);
  });

  test('one that throws instead of rejecting, and one that is not there', async () => {
    const client = wrapped(QUICK);
    const thrown = await caught(client.get('/x', { adapter: reset }));
    expect(codesOf(thrown.recovery)).toEqual(Array(4).fill('ECONNRESET'));
    const unknown = await caught(client.get('/x', { adapter: 'carrier-pigeon' }));
    expect(unknown).toBeInstanceOf(axios.AxiosError);
    expect(unknown.message).toBe("Unknown adapter 'carrier-pigeon'");
    expect(unknown.recovery.gaveUp).toBe('not-transient');
  });

  test('an interceptor that answers from a cache puts its adapter in place of ours', async () => {
    const client = wrapped(QUICK);
    client.interceptors.request.use((config) => ({ ...config, adapter: async () => ({ status: 200, data: 'cached', headers: {}, config }) }));
    expect((await client.get('/x')).data).toBe('cached');
  });

  test('the adapter of another call does not put retries within retries', async () => {
    const adapter = scripted(reset);
    const client = wrapped({ retries: 2 }, { adapter });
    const { config } = await wrapped(QUICK, { adapter: scripted(answered) }).get('/y');
    const nested = client.create({ adapter: config.adapter });
    expect((await nested.get('/y')).recovery.attempts).toHaveLength(1);
    client.defaults.adapter = (await wrapped(QUICK).get('/z', { adapter: scripted(answered) })).config.adapter;
    expect((await client.get('/z')).recovery.attempts).toHaveLength(1);
  });
});

describe('axios-mock-adapter', () => {
  const NETWORK = { code: 'ERR_NETWORK', delivery: 'unknown' };

  test.each([
    ['on the given instance, before wrapping', (instance) => [new MockAdapter(instance), wrapAxios(instance, { retry: QUICK })]],
    ['on the given instance, after wrapping', (instance) => [wrapAxios(instance, { retry: QUICK }), new MockAdapter(instance)].reverse()],
    ['on the wrapped instance', (instance) => {
      const client = wrapAxios(instance, { retry: QUICK });
      return [new MockAdapter(client), client];
    }],
  ])('%s: it sees every attempt', async (name, prepare) => {
    const [mock, client] = prepare(axios.create());
    mock.onGet('/stock').replyOnce(503).onGet('/stock').networkErrorOnce().onGet('/stock').timeoutOnce()
      .onGet('/stock').reply(200, { stock: 120 });
    const response = await client.get('/stock');
    expect(response.data).toEqual({ stock: 120 });
    expect(response.recovery.attempts.map(({ fault }) => fault)).toEqual([
      expect.objectContaining({ code: 'HTTP_503' }), expect.objectContaining(NETWORK), expect.objectContaining({ code: 'ETIMEDOUT' }), null,
    ]);
    expect(mock.history.get).toHaveLength(4);
    expect(mock.history.get.map(({ url }) => url)).toEqual(Array(4).fill('/stock'));

    mock.onPost('/orders').networkError();
    const error = await caught(client.post('/orders', { sku: 'bolt' }));
    expect(error.recovery.gaveUp).toBe('not-idempotent');
    expect(mock.history.post).toHaveLength(1);
    expect(JSON.parse(mock.history.post[0].data)).toEqual({ sku: 'bolt' });

    mock.restore();
    const origin = await startOrigin(inTurn(rst, ok));
    expect((await client.get(origin.url)).recovery.attempts).toHaveLength(2);
  });

  test('a call that an interceptor makes anew with the given instance is retried, though the mock deletes the adapter', async () => {
    const instance = axios.create();
    const mock = new MockAdapter(instance);
    mock.onGet('/stock').replyOnce(401).onGet('/stock').replyOnce(503).onGet('/stock').reply(200);
    instance.interceptors.response.use(null, (error) => {
      if (error.response.status !== 401) throw error;
      return instance(error.config);
    });
    const { recovery } = await wrapAxios(instance, { retry: QUICK }).get('/stock');
    expect(codesOf(recovery)).toEqual(['HTTP_503', null]);
  });

  test.each([
    ['given', (instance, client) => [new MockAdapter(instance), client]],
    ['wrapped', (instance, client) => [new MockAdapter(client), client]],
  ])('on the %s instance: what it passes through is not retried twice', async (name, prepare) => {
    const origin = await startOrigin(rst);
    const instance = axios.create();
    const [mock, client] = prepare(instance, wrapAxios(instance, { retry: { ...QUICK, retries: 2 } }));
    mock.onAny().passThrough();
    const transformRequest = jest.fn(JSON.stringify);
    const error = await caught(client.put(origin.url, { sku: 'bolt' }, { transformRequest }));
    expect(codesOf(error.recovery)).toEqual(['ECONNRESET', 'ECONNRESET', 'ECONNRESET']);
    expect(origin.requests).toHaveLength(3);
    expect(transformRequest).toHaveBeenCalledTimes(1);
    expect(mock.history.put).toHaveLength(3);
    // Made anew by an interceptor it would be retried.
    expect(Object.getOwnPropertySymbols(error.config)).toEqual([]);
  });
});

test('nock: every attempt meets its interceptor, and a POST makes one', async () => {
  const { code, stdout, stderr } = await runProgram('wrap-axios-nock.mjs');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const told = { data: { stock: 120 }, codes: ['ECONNRESET', 'HTTP_503', null], unmet: 0, post: 'not-idempotent', unmetPosts: 1 };
  expect(JSON.parse(stdout)).toEqual({ http: told, fetch: told });
});

describe('axios-retry on the same instance', () => {
  /** As axios-retry 4 marks the config of each call. */
  const install = (instance, options) => instance.interceptors.request.use((config) => {
    config['axios-retry'] = { retries: 3, ...options, ...config['axios-retry'], retryCount: 0, lastRequestTime: 1 };
    return config;
  });

  test('is refused with the first call', async () => {
    const adapter = scripted(answered);
    const instance = axios.create({ adapter });
    install(instance);
    const client = wrapAxios(instance);
    await expect(client.get('/x')).rejects.toThrow(expect.objectContaining({ name: 'TypeError', message: expect.stringMatching(/axios-retry/) }));
    expect(adapter.seen).toEqual([]);
  });

  test('is no matter where it is switched off, or only its options are left', async () => {
    const instance = axios.create({ adapter: scripted(answered) });
    await wrapAxios(instance).get('/x', { 'axios-retry': { retries: 5 } });
    install(instance, { retries: 0 });
    await wrapAxios(instance).get('/x');
  });
});

test('http itself, its agent and axios stay as they are for everybody else', async () => {
  const origin = await startOrigin(inTurn(rst, ok));
  const { request, globalAgent } = http;
  await wrapped(QUICK).get(origin.url);
  expect([http.request, http.globalAgent]).toEqual([request, globalAgent]);
});

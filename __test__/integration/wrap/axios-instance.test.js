'use strict';

/** What `wrapAxios` returns is an axios, and what it was given stays what it was. */

const axios = require('axios');
const { wrapAxios, createPolicy } = require('../../..');
const { closeAll, inTurn, ok, reply, rst, startOrigin } = require('../../../testing');
const { QUICK, caught, codesOf, scripted } = require('../../support/wrap-axios');
const { runProgram } = require('../../support/program');

afterEach(closeAll);

const reset = () => {
  throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' });
};
const answered = () => ({});

/** Every method that makes a call, as the installed axios has them. */
const VERBS = Object.getOwnPropertyNames(axios.Axios.prototype)
  .filter((name) => !['constructor', '_request', 'getUri', 'request'].includes(name));

describe('the kind of instance', () => {
  test('the default export: callable, with all that is on it', () => {
    const wrapped = wrapAxios(axios);
    expect(Object.keys(wrapped)).toEqual(Object.keys(axios));
    for (const name of ['AxiosError', 'CanceledError', 'CancelToken', 'AxiosHeaders', 'Axios', 'HttpStatusCode']) {
      expect(wrapped[name]).toBe(axios[name]);
    }
    for (const name of ['isAxiosError', 'isCancel', 'mergeConfig', 'toFormData', 'getUri', 'VERSION']) {
      expect(wrapped[name]).toBe(axios[name]);
    }
    expect(wrapped.default).toBe(wrapped);
    expect(wrapped.getUri({ url: '/a', params: { b: 1 } })).toBe('/a?b=1');
  });

  test('an instance: its defaults and interceptors are the same objects', () => {
    const instance = axios.create({ baseURL: 'http://inventory' });
    const wrapped = wrapAxios(instance);
    expect(wrapped.defaults).toBe(instance.defaults);
    expect(wrapped.interceptors).toBe(instance.interceptors);
    expect(Object.keys(wrapped)).toEqual(Object.keys(instance));
  });

  test.each(VERBS)('%s is retried', async (name) => {
    const adapter = scripted(reset, answered);
    const wrapped = wrapAxios(axios.create({ adapter }), { retry: { ...QUICK, methods: ['get', 'head', 'delete', 'options', 'post', 'put', 'patch', 'query'] } });
    const hasData = !['get', 'head', 'delete', 'options'].includes(name);
    const config = { params: { a: 1 } };
    const { recovery } = await (hasData ? wrapped[name]('/x', { b: 2 }, config) : wrapped[name]('/x', config));
    expect(codesOf(recovery)).toEqual(['ECONNRESET', null]);
    expect(adapter.seen).toHaveLength(2);
    for (const seen of adapter.seen) {
      expect(seen).toMatchObject({ url: '/x', params: { a: 1 }, method: name.replace('Form', '') });
    }
    expect(config).toEqual({ params: { a: 1 } });
  });

  test.each([
    ['a URL', (wrapped) => wrapped('/x')],
    ['a URL and a config', (wrapped) => wrapped('/x', { params: { a: 1 } })],
    ['a config', (wrapped) => wrapped({ url: '/x' })],
    ['request with a URL', (wrapped) => wrapped.request('/x', { method: 'put' })],
    ['request with a config', (wrapped) => wrapped.request({ url: '/x', method: 'put' })],
  ])('called with %s', async (name, call) => {
    const adapter = scripted(reset, answered);
    const { recovery, config } = await call(wrapAxios(axios.create({ adapter }), { retry: QUICK }));
    expect(codesOf(recovery)).toEqual(['ECONNRESET', null]);
    expect(config.url).toBe('/x');
  });

  test('a new Axios(), and an instance of a class of one\'s own', async () => {
    class Inventory extends axios.Axios {
      stockOf(sku) {
        return this.get(`/stock/${sku}`);
      }
    }
    const origin = await startOrigin(inTurn(rst, ok));
    const given = new Inventory({ ...axios.defaults, baseURL: origin.url });
    const wrapped = wrapAxios(given, { retry: QUICK });
    expect(wrapped).toBeInstanceOf(Inventory);
    expect(wrapped.defaults).toBe(given.defaults);
    const { data, recovery } = await wrapped.stockOf('bolt');
    expect(data).toBe('ok');
    expect(codesOf(recovery)).toEqual(['ECONNRESET', null]);
  });

  test('what create makes is wrapped, under the same policy', async () => {
    const policy = createPolicy(QUICK);
    const retried = [];
    policy.on('retry', ({ url }) => retried.push(url));
    const adapter = scripted(reset, answered, reset, answered);
    const wrapped = wrapAxios(axios, { retry: policy });
    const created = wrapped.create({ adapter, baseURL: 'http://inventory' });
    const ofCreated = created.create();
    await created.get('/a');
    await ofCreated.get('/b');
    expect(retried).toEqual(['http://inventory/a', 'http://inventory/b']);
  });
});

describe('the given instance', () => {
  test('is not retried, and not written to', async () => {
    const origin = await startOrigin(rst);
    const before = { ...axios, interceptors: axios.interceptors.request.handlers.length, defaults: { ...axios.defaults } };
    const wrapped = wrapAxios(axios, { retry: QUICK });
    await caught(wrapped.get(origin.url));
    origin.requests.length = 0;
    const error = await caught(axios.get(origin.url));
    expect(error.code).toBe('ECONNRESET');
    expect(error).not.toHaveProperty('recovery');
    expect(origin.requests).toHaveLength(1);
    expect({ ...axios, interceptors: axios.interceptors.request.handlers.length, defaults: { ...axios.defaults } }).toEqual(before);
  });

  test('defaults and interceptors that are added to either later, both have', async () => {
    const instance = axios.create();
    const wrapped = wrapAxios(instance, { retry: QUICK });
    const adapter = scripted(reset, answered);
    instance.defaults.adapter = adapter;
    wrapped.defaults.headers.common['X-Team'] = 'stock';
    instance.interceptors.request.use((config) => {
      config.headers.set('X-One', '1');
      return config;
    });
    wrapped.interceptors.request.use((config) => {
      config.headers.set('X-Two', '2');
      return config;
    });
    await wrapped.get('/x');
    await instance.get('/y');
    expect(adapter.seen.map(({ headers }) => [headers['X-Team'], headers['X-One'], headers['X-Two']])).toEqual(
      Array(3).fill(['stock', '1', '2']),
    );
  });

  test('a method that a test replaces is the one that is called', async () => {
    const instance = axios.create();
    const wrapped = wrapAxios(instance);
    const spy = jest.spyOn(instance, 'get').mockResolvedValue({ data: 'mocked' });
    expect((await wrapped.get('/x', { params: { a: 1 } })).data).toBe('mocked');
    expect(spy).toHaveBeenCalledWith('/x', expect.objectContaining({ params: { a: 1 } }));
  });
});

describe('what is refused', () => {
  test.each([undefined, null, {}, () => {}, 'axios', { default: axios }])('%p is no axios', (given) => {
    expect(() => wrapAxios(given)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE', message: expect.stringMatching(/^axios must be axios, or an instance of it/) }));
  });

  test('an instance that is wrapped, or was made by one that is', () => {
    const wrapped = wrapAxios(axios);
    for (const twice of [wrapped, wrapped.create(), wrapAxios(new axios.Axios({}))]) {
      expect(() => wrapAxios(twice)).toThrow(expect.objectContaining({ name: 'TypeError', message: 'axios must be an instance that is not wrapped yet.' }));
    }
  });

  test.each([
    [{ retires: 3 }, 'options.retires is not an option. Accepted: retry, timeout, onRequest.'],
    [{ retry: { retires: 3 } }, /^options\.retry\.retires is not an option/],
    [{ timeout: 5000 }, /^options\.timeout must be an object/],
    [{ timeout: { connect: 5 } }, 'options.timeout.connect is not an option. Accepted: total.'],
    [{ timeout: { total: 0 } }, /^options\.timeout\.total must be .* from 1/],
    [{ onRequest: true }, /^options\.onRequest must be a function/],
  ])('options %j', (options, message) => {
    expect(() => wrapAxios(axios, options)).toThrow(message);
  });

  test.each([
    [{ retires: 3 }, 'unreset.retires is not an option. Accepted: retry, timeout.'],
    [{ retry: { retires: 3 } }, /^unreset\.retry\.retires is not an option/],
    [{ timeout: { total: '1s' } }, /^unreset\.timeout\.total must be a number of milliseconds/],
    ['never', /^unreset must be an object/],
  ])('unreset: %j in the config of a call', async (unreset, message) => {
    const adapter = scripted(answered);
    await expect(wrapAxios(axios).get('/x', { adapter, unreset })).rejects.toThrow(message);
    expect(adapter.seen).toEqual([]);
  });
});

describe('options of a single call', () => {
  const client = (adapter) => wrapAxios(axios.create({ adapter }), { retry: QUICK });

  test('are laid over those of the instance', async () => {
    const adapter = scripted(reset, reset, answered);
    const never = await caught(client(adapter).get('/x', { unreset: { retry: false } }));
    expect(never.recovery.gaveUp).toBe('attempts-exhausted');
    expect(adapter.seen).toHaveLength(1);
    const posted = await client(adapter).post('/x', {}, { unreset: { retry: { methods: ['POST'] } } });
    expect(codesOf(posted.recovery)).toEqual(['ECONNRESET', null]);
  });

  test('may come from the defaults, or from an interceptor', async () => {
    const adapter = scripted(reset, answered);
    const wrapped = client(adapter);
    wrapped.defaults.unreset = { retry: { methods: ['POST'] } };
    expect(codesOf((await wrapped.post('/x')).recovery)).toEqual(['ECONNRESET', null]);
    wrapped.interceptors.request.use((config) => ({ ...config, unreset: { retry: 0 } }));
    adapter.seen.length = 0;
    expect((await caught(wrapped.get('/x'))).recovery.gaveUp).toBe('attempts-exhausted');
  });

  test('retry may be a policy', async () => {
    const policy = createPolicy({ ...QUICK, methods: ['POST'] });
    const retried = jest.fn();
    policy.on('retry', retried);
    const { recovery } = await client(scripted(reset, answered)).post('/x', {}, { unreset: { retry: policy } });
    expect(codesOf(recovery)).toEqual(['ECONNRESET', null]);
    expect(retried).toHaveBeenCalledWith(expect.objectContaining({ surface: 'wrapAxios', method: 'POST', url: '/x', origin: '' }));
  });
});

describe('instances that do not say which axios made them', () => {
  const OUTCOME = { data: { stock: 120 }, attempts: 2, ownError: 'not-idempotent', ownAbort: 'aborted' };

  /** Each path as `outcomeOf` in the program meets it. */
  const inventory = () => {
    let stock = 0;
    return startOrigin((request, response) => {
      if (request.path === '/orders') return rst(request, response);
      if (request.path === '/busy') return reply(503, { 'retry-after': '30' })(request, response);
      stock += 1;
      return (stock % 2 === 1 ? rst : reply(200, {}, { stock: 120 }))(request, response);
    });
  };

  test('of require: the names of adapters are known, errors are of its own classes', async () => {
    const { url } = await inventory();
    const api = wrapAxios(axios.create({ baseURL: url }), { retry: QUICK });
    expect((await api.get('/stock')).recovery.attempts).toHaveLength(2);
    expect(await caught(api.post('/orders'))).toBeInstanceOf(axios.AxiosError);
    expect(await caught(api.get('/busy', { signal: AbortSignal.timeout(100) }))).toBeInstanceOf(axios.CanceledError);
  });

  test('of import: likewise, before and after its module has been found', async () => {
    const { url } = await inventory();
    const { code, stdout, stderr } = await runProgram('wrap-axios-import.mjs', [url]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual([OUTCOME, OUTCOME]);
  });
});

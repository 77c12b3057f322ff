'use strict';

/** What the second attempt sends is what the first one sent, whoever has written into the config meanwhile. */

const { Readable } = require('node:stream');
const FormData = require('form-data');
const axios = require('axios');
const { wrapAxios } = require('../../..');
const { closeAll, inTurn, ok, rst, startOrigin } = require('../../../testing');
const { ADAPTERS, QUICK, scripted, wrapped } = require('../../support/wrap-axios');
const { axiosWithXhr } = require('../../support/fake-xhr');

afterEach(closeAll);

const reset = () => {
  throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' });
};

function webForm() {
  const form = new globalThis.FormData();
  form.append('sku', 'bolt');
  form.append('picture', new Blob(['not really a picture'], { type: 'image/png' }), 'bolt.png');
  return form;
}

function form() {
  const made = new FormData();
  made.append('sku', 'bolt');
  made.append('list', Readable.from(['one,', 'two,', 'three']), { filename: 'list.csv', knownLength: 13 });
  return made;
}

const BODIES = [
  ['no body', () => undefined],
  ['an object', () => ({ sku: 'bolt', count: 3 })],
  ['text', () => 'bolt'],
  ['a Buffer', () => Buffer.from([0, 1, 2, 255])],
  ['a typed array', () => new Uint8Array([1, 2, 3])],
  ['an ArrayBuffer', () => new Uint8Array([1, 2, 3]).buffer],
  ['URLSearchParams', () => new URLSearchParams({ sku: 'bolt', count: '3' })],
  ['a Blob', () => new Blob(['bolt'], { type: 'text/plain' })],
  ['a form of the package form-data', form],
  ['a Readable', () => Readable.from(['bolt, ', Buffer.from('crank')])],
  ['a function that opens a Readable', () => async () => Readable.from(['bolt, ', 'crank'])],
];

/** The platform draws the boundary of a web FormData for fetch; a ReadableStream is for fetch only. */
const BODIES_OF = {
  http: [...BODIES, ['a web FormData', webForm]],
  fetch: [...BODIES, ['a ReadableStream', () => new Blob(['bolt, crank']).stream()]],
};

const CONFIG = { headers: { 'X-Team': 'stock', common: { 'X-Common': '1' } }, auth: { username: 'a', password: 'b' } };
const CALL = { params: { b: [1, 2] }, headers: { 'x-request-id': '7' } };

function asSent({ path, rawHeaders, body }) {
  return { path, rawHeaders, body: body.toString('latin1') };
}

describe.each(ADAPTERS)('over the %s adapter', (adapter) => {
  test.each(BODIES_OF[adapter])('%s: headers and body are identical', async (name, body) => {
    const origin = await startOrigin(inTurn(rst, rst, ok));
    await wrapped(QUICK, { adapter, ...CONFIG }).put(`${origin.url}/x`, body(), CALL);
    const [first, ...repeated] = origin.requests.map(asSent);
    expect(repeated).toEqual([first, first]);
    expect(first.body.length > 0).toBe(name !== 'no body');
  });

  // Not the forms: each has a boundary of its own.
  test.each(BODIES_OF[adapter].filter(([name]) => !/[fF]orm|function/.test(name)))('%s: they are those of plain axios', async (name, body) => {
    const origin = await startOrigin();
    await wrapped(QUICK, { adapter, ...CONFIG }).put(`${origin.url}/x`, body(), CALL);
    await axios.create({ adapter, ...CONFIG }).put(`${origin.url}/x`, body(), CALL);
    const [ours, plain] = origin.requests.map(asSent);
    expect(ours).toEqual(plain);
  });
});

// With them no more than the headers is put back before the next attempt.
test.each(ADAPTERS)('the %s adapter of axios writes to nothing of the config but the headers', async (adapter) => {
  const origin = await startOrigin(inTurn(rst, ok));
  let before;
  const transformRequest = [...axios.defaults.transformRequest, function note(data) {
    before = { ...this, data };
    return data;
  }];
  const { config } = await wrapped(QUICK, { adapter, ...CONFIG, transformRequest }).put(`${origin.url}/x`, { sku: 'bolt' }, CALL);
  const { headers: noted, ...rest } = before;
  const { headers, ...after } = config;
  expect(Reflect.ownKeys(after)).toEqual(Reflect.ownKeys(rest));
  for (const key of Reflect.ownKeys(rest)) expect([key, after[key] === rest[key]]).toEqual([key, true]);
  expect(noted).toBeDefined();
  expect(headers).not.toBe(noted);
});

test('over the http adapter a web FormData keeps the boundary that the caller chose', async () => {
  const origin = await startOrigin(inTurn(rst, ok));
  const headers = { 'Content-Type': 'multipart/form-data; boundary=chosen-by-caller' };
  await wrapped(QUICK, { adapter: 'http' }).put(origin.url, webForm(), { headers });
  for (const { headers: sent, body } of origin.requests) {
    expect(sent['content-type']).toBe('multipart/form-data; boundary=chosen-by-caller');
    expect(body.toString()).toContain('--chosen-by-caller\r\n');
  }
});

test('over fetch a web FormData is repeated with the same parts', async () => {
  const origin = await startOrigin(inTurn(rst, ok));
  await wrapped(QUICK, { adapter: 'fetch' }).put(origin.url, webForm());
  const [first, second] = origin.requests.map(({ body }) => {
    const [boundary] = body.toString().split('\r\n');
    return body.toString().replaceAll(boundary, 'BOUNDARY');
  });
  expect(second).toBe(first);
  expect(first).toContain('not really a picture');
});

test('over the xhr adapter', async () => {
  const origin = await startOrigin(inTurn(rst, rst, ok));
  const client = wrapAxios(axiosWithXhr(), { retry: QUICK });
  const { data, recovery } = await client.put(`${origin.url}/x`, { sku: 'bolt' }, CALL);
  expect(data).toBe('ok');
  // An XMLHttpRequest does not say why it failed.
  expect(recovery.attempts[0].fault).toMatchObject({ code: 'ERR_NETWORK', delivery: 'unknown' });
  const [first, ...repeated] = origin.requests.map(asSent);
  expect(repeated).toEqual([first, first]);
  expect(first.body).toBe('{"sku":"bolt"}');
});

describe('an adapter of the caller\'s own', () => {
  test('finds the config as it was, whatever it has done to it', async () => {
    const states = [];
    const adapter = scripted(reset, reset, () => ({}));
    const rewriting = async (config) => {
      states.push({ keys: Object.keys(config).sort(), url: config.url, params: config.params, headers: { ...config.headers }, data: config.data });
      config.url = `/api${config.url}`;
      config.headers.set('X-Signature', String(states.length));
      config.headers.delete('X-Team');
      config.extra = true;
      delete config.adapter;
      delete config.params;
      delete config.data;
      return adapter(config);
    };
    const { config } = await wrapAxios(axios.create({ adapter: rewriting, ...CONFIG }), { retry: QUICK }).put('/x', { sku: 'bolt' }, CALL);
    expect(states[0]).toMatchObject({ url: '/x', params: { b: [1, 2] }, data: '{"sku":"bolt"}', headers: { 'X-Team': 'stock' } });
    expect(states[1]).toEqual(states[0]);
    expect(states[2]).toEqual(states[0]);
    expect(adapter.seen.map(({ url }) => url)).toEqual(['/api/x', '/api/x', '/api/x']);
    // What plain axios would leave: what the adapter that answered has done.
    expect(config).toMatchObject({ url: '/api/x', extra: true });
  });

  test('gets marks that interceptors have put on the config, and keeps symbols of others', async () => {
    const mark = Symbol('of a tracer');
    const adapter = scripted(reset, () => ({}));
    const client = wrapAxios(axios.create({ adapter }), { retry: QUICK });
    client.interceptors.request.use((config) => Object.assign(config, { [mark]: 'span', started: 7 }));
    const { config } = await client.get('/x');
    expect(adapter.seen.map((seen) => [seen[mark], seen.started])).toEqual([['span', 7], ['span', 7]]);
    expect([config[mark], config.started]).toEqual(['span', 7]);
  });

  test('error and response refer to the one config that the interceptors have seen', async () => {
    const seen = [];
    const adapter = scripted(reset, () => ({}), reset);
    const client = wrapAxios(axios.create({ adapter }), { retry: { ...QUICK, retries: 1 } });
    client.interceptors.request.use((config) => {
      seen.push(config);
      return config;
    });
    const response = await client.get('/x');
    expect(response.config).toBe(seen[0]);
    expect(Object.getOwnPropertySymbols(response.config)).toEqual([]);
  });
});

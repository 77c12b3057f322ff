'use strict';

/** The environment's proxies, under the rule of Node's own fetch: each case in a process of its own. */

const { closeAll, ok, startOrigin } = require('../../../testing');
const { callInProcess } = require('../../support/call-in-process');
const { closeProxies, startProxy } = require('../../support/proxy-server');

const VARIABLE = { NODE_USE_ENV_PROXY: '1' };
const URL_THERE = 'http://nowhere.test/';

let proxy;
let other;

beforeAll(async () => {
  proxy = await startProxy();
  other = await startProxy();
});

beforeEach(() => {
  proxy.requests = [];
  proxy.tunnels = [];
});

afterAll(async () => {
  await closeProxies();
  await closeAll();
});

/** Whether a call of the shared `fetch` comes to the proxy. */
async function isProxied(env, { flags, options } = {}) {
  const call = { url: URL_THERE, init: { retry: false }, options };
  const outcome = await callInProcess(call, { env: { HTTP_PROXY: proxy.url, ...env }, flags });
  if (proxy.requests.length > 0) expect(outcome.text).toBe('from the proxy');
  else expect(outcome.fault.kind).toBe('dns');
  return proxy.requests.length > 0;
}

/** The same of the built-in fetch, which in some versions asks for a tunnel. */
async function isProxiedByNode(env, flags) {
  await callInProcess({ url: URL_THERE, builtIn: true }, { env: { HTTP_PROXY: proxy.url, ...env }, flags });
  return proxy.requests.length + proxy.tunnels.length > 0;
}

/** Node has the flag since 22.21 and 24. */
const HAS_FLAG = process.allowedNodeEnvironmentFlags.has('--use-env-proxy');
const withFlag = HAS_FLAG ? test : test.skip;

describe('whether it counts', () => {
  test.each([
    ['unset', {}, false],
    ['1', VARIABLE, true],
    ['0', { NODE_USE_ENV_PROXY: '0' }, false],
    ['true', { NODE_USE_ENV_PROXY: 'true' }, false],
  ])('NODE_USE_ENV_PROXY: %s', async (_, env, expected) => {
    expect(await isProxied(env)).toBe(expected);
  });

  withFlag.each([
    [['--use-env-proxy'], {}, true],
    [['--use-env-proxy'], { NODE_USE_ENV_PROXY: '0' }, true],
    [['--no-use-env-proxy'], VARIABLE, false],
    [[], { NODE_OPTIONS: '--use-env-proxy' }, true],
    [[], { NODE_OPTIONS: '--no-use-env-proxy', ...VARIABLE }, false],
    [['--no-use-env-proxy'], { NODE_OPTIONS: '--use-env-proxy' }, false],
  ])('flags %j, %j', async (flags, env, expected) => {
    expect(await isProxied(env, { flags })).toBe(expected);
    proxy.requests = [];
    expect(await isProxiedByNode(env, flags)).toBe(expected);
  });

  test('createFetch follows it too, and its option has the last word', async () => {
    expect(await isProxied(VARIABLE, { options: {} })).toBe(true);
    proxy.requests = [];
    expect(await isProxied(VARIABLE, { options: { proxy: false } })).toBe(false);
    expect(await isProxied({}, { options: { proxy: true } })).toBe(true);
  });
});

describe('what it says', () => {
  test('lower case comes first, and an empty variable is one', async () => {
    expect(await isProxied({ ...VARIABLE, HTTP_PROXY: other.url, http_proxy: proxy.url })).toBe(true);
    proxy.requests = [];
    expect(await isProxied({ ...VARIABLE, http_proxy: '' })).toBe(false);
  });

  test('HTTP_PROXY stands in for HTTPS_PROXY, not the other way round', async () => {
    const call = { url: 'https://nowhere.test/', init: { retry: false } };
    proxy.refusals = ['HTTP/1.1 403 No\r\n\r\n'];
    await callInProcess(call, { env: { ...VARIABLE, HTTP_PROXY: proxy.url } });
    expect(proxy.tunnels).toMatchObject([{ authority: 'nowhere.test:443' }]);
    expect(await isProxied({ ...VARIABLE, HTTP_PROXY: undefined, HTTPS_PROXY: proxy.url })).toBe(false);
  });

  test('ALL_PROXY is not read', async () => {
    expect(await isProxied({ ...VARIABLE, HTTP_PROXY: undefined, ALL_PROXY: proxy.url })).toBe(false);
  });

  test('NO_PROXY names what is reached directly', async () => {
    expect(await isProxied({ ...VARIABLE, NO_PROXY: 'a.test,nowhere.test:80' })).toBe(false);
    expect(await isProxied({ ...VARIABLE, NO_PROXY: '*', no_proxy: 'a.test' })).toBe(true);
    const origin = await startOrigin(ok);
    const env = { ...VARIABLE, HTTP_PROXY: proxy.url, NO_PROXY: '127.0.0.1' };
    expect(await callInProcess({ url: origin.url }, { env })).toMatchObject({ text: 'ok' });
  });

  test.each([
    ['without a scheme', 'user:s3cret@proxy.test:3128'],
    ['of SOCKS without its version', 'socks://user:s3cret@proxy.test'],
    ['that cannot be parsed', 'http://user:s3cret@:1'],
    ['with a stray percent sign', 'http://user:s3cret%@proxy.test'],
  ])('a proxy %s is refused by name, without its value', async (_, value) => {
    // Under the variable Node itself would not start, from 22.21 on.
    const outcome = await callInProcess({ url: URL_THERE, options: { proxy: true } }, { env: { HTTP_PROXY: value } });
    expect(outcome).toMatchObject({
      code: 'ERR_PROXY_INVALID_CONFIG',
      message: expect.stringMatching(/^The environment variable HTTP_PROXY must be a URL/),
    });
    expect(outcome.all).not.toContain('s3cret');
  });
});

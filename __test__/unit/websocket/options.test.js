'use strict';

const { createPolicy } = require('../../..');
const { checkKeys, parseOptions } = require('../../../lib/websocket/options');
const { HandshakeRequest } = require('../../../lib/websocket/request');

function parsed(options) {
  return parseOptions(checkKeys(options));
}

/** The members that differ from those without options. */
function differences(options) {
  const usual = parsed({}).native;
  const { native } = parsed(options);
  return Object.fromEntries(Object.entries(native).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(usual[key])));
}

test('what native code gets when nothing is said', () => {
  const { native, reconnect, policy } = parsed({});
  expect(native).toEqual({
    handshakeTimeout: 10_000,
    greets: false,
    codes: [],
    asks: false,
    minUptime: 5_000,
    queue: { bytes: 64 * 1024 * 1024, age: 60_000, refuses: true },
    resend: 'unsent',
    heartbeat: { interval: 25_000, timeout: 30_000 },
    maxFrame: 65_536,
    adapt: true,
    maxPayload: 100 * 1024 * 1024,
    deflate: {
      threshold: 1024, level: 6, serverNoContextTakeover: false, clientNoContextTakeover: false, serverMaxWindowBits: null, clientMaxWindowBits: null,
    },
    redirects: 0,
    closeTimeout: 30_000,
    proxies: null,
    tls: { options: {}, name: null, rejectUnauthorized: true },
    family: 0,
    firstOnly: false,
    localAddress: undefined,
    localPort: 0,
    noDelay: true,
    keepAlive: 15_000,
  });
  expect(JSON.parse(reconnect)).toEqual({ retries: 2 ** 32 - 1, within: 2 ** 31 - 1 });
  expect(policy).toBeDefined();
});

test.each([
  [{ handshakeTimeout: 5 }, { handshakeTimeout: 5 }],
  [{ handshakeTimeout: 0 }, { handshakeTimeout: null }],
  [{ handshakeTimeout: Infinity }, { handshakeTimeout: null }],
  [{ onConnect() {} }, { greets: true }],
  [{ shouldReconnect() {} }, { asks: true }],
  [{ reconnect: { codes: [4000, 4001] } }, { codes: [4000, 4001] }],
  [{ reconnect: { minUptime: 1 } }, { minUptime: 1 }],
  [{ minUptime: 1 }, { minUptime: 1 }],
  [{ minUptime: 1, reconnect: { minUptime: 2 } }, { minUptime: 2 }],
  [{ queue: { bytes: 5 } }, { queue: { bytes: 5, age: 60_000, refuses: true } }],
  [{ queue: { age: Infinity } }, { queue: { bytes: 64 * 1024 * 1024, age: null, refuses: true } }],
  [{ resend: 'unknown-too' }, { resend: 'unknown-too' }],
  [{ heartbeat: false }, { heartbeat: null }],
  [{ heartbeat: true }, {}],
  [{ heartbeat: { interval: 10 } }, { heartbeat: { interval: 10, timeout: 30_000 } }],
  [{ heartbeat: { timeout: 10 } }, { heartbeat: { interval: 25_000, timeout: 10 } }],
  [{ maxFrame: 4096 }, { maxFrame: 4096 }],
  [{ adapt: false }, { adapt: false }],
  [{ maxPayload: 0 }, { maxPayload: 0 }],
  [{ perMessageDeflate: false }, { deflate: null }],
  [{ followRedirects: true }, { redirects: 10 }],
  [{ followRedirects: true, maxRedirects: 2 }, { redirects: 2 }],
  [{ maxRedirects: 2 }, {}],
  [{ closeTimeout: 2 }, { closeTimeout: 2 }],
  [{ family: 'IPv4' }, { family: 4 }],
  [{ autoSelectFamily: false }, { firstOnly: true }],
  [{ localAddress: '127.0.0.1', localPort: 7 }, { localAddress: '127.0.0.1', localPort: 7 }],
  [{ noDelay: false }, { noDelay: false }],
  [{ keepAlive: false }, { keepAlive: null }],
  [{ keepAliveInitialDelay: 7 }, { keepAlive: 7 }],
  [{ rejectUnauthorized: false }, { tls: { options: {}, name: null, rejectUnauthorized: false } }],
  [{ servername: 'a.test' }, { tls: { options: {}, name: 'a.test', rejectUnauthorized: true } }],
  [{ tls: { servername: 'a.test', minVersion: 'TLSv1.3' } }, { tls: { options: { minVersion: 'TLSv1.3' }, name: 'a.test', rejectUnauthorized: true } }],
])('%j', (options, expected) => {
  expect(differences(options)).toEqual(expected);
});

test('perMessageDeflate as in the manual of ws', () => {
  const { deflate } = parsed({
    perMessageDeflate: {
      zlibDeflateOptions: { chunkSize: 1024, memLevel: 7, level: 3 },
      zlibInflateOptions: { chunkSize: 10 * 1024 },
      clientNoContextTakeover: true,
      serverNoContextTakeover: true,
      serverMaxWindowBits: 10,
      clientMaxWindowBits: 9,
      concurrencyLimit: 10,
      threshold: 512,
    },
  }).native;
  expect(deflate).toEqual({
    threshold: 512, level: 3, serverNoContextTakeover: true, clientNoContextTakeover: true, serverMaxWindowBits: 10, clientMaxWindowBits: 9,
  });
});

test.each([
  ['an unknown option', { heartBeat: true }, /options\.heartBeat is not an option/],
  ['an unknown member', { heartbeat: { every: 1 } }, /options\.heartbeat\.every is not an option/],
  ['an agent', { agent: {} }, /options\.agent must be left out.*proxy/],
  ['a frame that is too small', { maxFrame: 1 }, /options\.maxFrame/],
  ['a rule that is none', { resend: 'all' }, /options\.resend/],
  ['a budget', { reconnect: { budget: false } }, /options\.reconnect\.budget must be left out/],
  ['a code that is none', { reconnect: { codes: [5000] } }, /options\.reconnect\.codes\[0\]/],
  ['no function', { onConnect: {} }, /options\.onConnect/],
  ['no function', { shouldReconnect: true }, /options\.shouldReconnect/],
  ['no object', 7, /options must be/],
  ['a level that zlib has not', { perMessageDeflate: { zlibDeflateOptions: { level: 10 } } }, /zlibDeflateOptions\.level/],
  ['a mask of its own', { generateMask() {} }, /options\.generateMask must be left out/],
  ['a time that is none', { closeTimeout: -1 }, /options\.closeTimeout/],
])('%s is refused: %j', (name, options, message) => {
  expect(() => parsed(options)).toThrow(message);
});

test('what ws and undici have by default may be said', () => {
  expect(differences({ agent: false, protocolVersion: 13, skipUTF8Validation: false, autoPong: true, allowSynchronousEvents: true })).toEqual({});
});

test('reconnect: short forms, its own, and a policy', () => {
  expect(JSON.parse(parsed({ reconnect: false }).reconnect).retries).toBe(0);
  expect(JSON.parse(parsed({ reconnect: 3 }).reconnect).retries).toBe(3);
  const backoff = { base: 5, cap: 10 };
  expect(JSON.parse(parsed({ reconnect: { backoff, within: 100 } }).reconnect)).toEqual({ retries: 2 ** 32 - 1, within: 100, backoff });
  const onRetry = () => {};
  const shared = createPolicy({ backoff, onRetry, methods: ['GET'], budget: false });
  const { reconnect, onRetry: heard } = parsed({ reconnect: shared });
  // What it does not say is a WebSocket's own, and not that of calls.
  expect(JSON.parse(reconnect)).toEqual({ retries: 2 ** 32 - 1, within: 2 ** 31 - 1, backoff });
  expect(heard).toBe(onRetry);
});

describe('what is asked for in the handshake', () => {
  test('is known at once where nothing is a function', () => {
    const request = new HandshakeRequest('http://a.test', ['x'], { headers: { 'X-A': 1 }, origin: 'https://b.test', auth: 'user:pass' });
    expect(JSON.parse(request.json)).toEqual({
      url: 'ws://a.test/',
      protocols: ['x'],
      headers: [['x-a', '1'], ['origin', 'https://b.test'], ['authorization', `Basic ${btoa('user:pass')}`]],
    });
  });

  test('the headers have the last word about origin and auth', () => {
    const headers = new Headers({ origin: 'a', authorization: 'b' });
    const { json } = new HandshakeRequest('ws://a.test', undefined, { headers, origin: 'x', auth: 'y' });
    expect(JSON.parse(json).headers).toEqual([['authorization', 'b'], ['origin', 'a']]);
  });

  test('every part may be a function, asked anew and told why', async () => {
    const told = [];
    const context = { attempt: 2, fault: { code: 'HTTP_401' } };
    const request = new HandshakeRequest(
      async (given) => {
        told.push(given);
        return new URL('wss://a.test/x');
      },
      () => 'p',
      { headers: () => [['a', 'b']], origin: 'https://b.test' },
    );
    expect([request.json, request.url]).toEqual([undefined, '']);
    expect(await request.provide(context)).toEqual({
      url: 'wss://a.test/x', protocols: ['p'], headers: [['a', 'b'], ['origin', 'https://b.test']],
    });
    expect(told).toEqual([context]);
  });

  test('what a function gives is checked as what stands there', async () => {
    await expect(new HandshakeRequest(() => 'ftp://a.test', undefined, {}).provide({})).rejects.toThrow(/must begin with ws/);
    await expect(new HandshakeRequest('ws://a', () => ['a', 'a'], {}).provide({})).rejects.toThrow(/given once/);
  });

  test.each(['Connection', 'Upgrade', 'Sec-WebSocket-Key', 'sec-websocket-protocol'])('%s is not among the headers', (name) => {
    expect(() => new HandshakeRequest('ws://a', [], { headers: { [name]: 'close' } })).toThrow(/options\.headers\["/);
  });
});

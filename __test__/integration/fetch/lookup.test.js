'use strict';

// `lookup`: where the addresses of a host come from.

const { AsyncLocalStorage } = require('node:async_hooks');
const dns = require('node:dns');
const { once } = require('node:events');
const http = require('node:http');
const { setFlagsFromString } = require('node:v8');
const { runInNewContext } = require('node:vm');

const engine = require('../../../lib/engine/engine');
const { classify, createFetch, isReset } = require('../../..');
const { closeAll, ok, partial, reply, rst, inTurn, startOrigin } = require('../../../testing');
const { caught, codesOf } = require('../../support/fetch-outcomes');

/** Waits too short to notice. */
const QUICK = { backoff: { base: 1, cap: 2 } };

/** A name that no resolver of this machine knows (RFC 6761, section 6.4): only `lookup` can lead to the server. */
const HOST = 'service.invalid';

const here = (host, options, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]);

let origin;

beforeEach(async () => {
  origin = await startOrigin(ok);
});
afterEach(closeAll);

const url = (path = '/') => `http://${HOST}:${origin.port}${path}`;

const failing = (code, fields) => (host, options, callback) => callback(Object.assign(new Error(`queryA ${code} ${host}`), { code, ...fields }));

describe('it is asked', () => {
  test('as dns.lookup is by net.connect, and the host stays what the URL says', async () => {
    const lookup = jest.fn(here);
    const response = await createFetch({ lookup })(url());
    expect(await response.text()).toBe('ok');
    expect(lookup.mock.calls).toEqual([[HOST, { all: true, family: 0, hints: 0 }, expect.any(Function)]]);
    expect(lookup.mock.contexts).toEqual([undefined]);
    expect(origin.requests[0].headers.host).toBe(`${HOST}:${origin.port}`);
    expect(response.url).toBe(url());
  });

  test('once for each new connection', async () => {
    const lookup = jest.fn(here);
    const client = createFetch({ lookup });
    for (let call = 0; call < 3; call++) await (await client(url())).text();
    expect([lookup.mock.calls.length, origin.connections()]).toEqual([1, 1]);
    const closing = await startOrigin(reply(200, { connection: 'close' }));
    for (let call = 0; call < 3; call++) await (await client(`http://${HOST}:${closing.port}`)).text();
    expect([lookup.mock.calls.length, closing.connections()]).toEqual([4, 3]);
  });

  test('never for an IP address', async () => {
    const lookup = jest.fn(here);
    const client = createFetch({ lookup, retry: false });
    expect((await client(origin.url)).status).toBe(200);
    // Whether or not this machine speaks IPv6.
    await client(`http://[::1]:${origin.port}`).catch(() => {});
    expect(lookup).not.toHaveBeenCalled();
  });

  test('again for a retry', async () => {
    const lookup = jest.fn(here);
    const unstable = await startOrigin(inTurn(rst, ok));
    const response = await createFetch({ lookup, retry: QUICK })(`http://${HOST}:${unstable.port}`);
    expect(codesOf(response.recovery)).toEqual(['ECONNRESET', null]);
    expect(lookup).toHaveBeenCalledTimes(2);
  });

  test('for a body that goes on after its client has been forgotten', async () => {
    const asked = [];
    const lookup = (host, ...rest) => {
      asked.push(host);
      here(host, ...rest);
    };
    const etag = { etag: '"1"', 'content-length': 10 };
    const torn = await startOrigin(inTurn(
      partial((request, response) => torn.tear.then(() => response.socket.resetAndDestroy()), { headers: etag, part: '01234' }),
      reply(206, { ...etag, 'content-length': 5, 'content-range': 'bytes 5-9/10' }, '56789'),
    ));
    torn.tear = new Promise((resolve) => {
      torn.go = resolve;
    });
    const response = await createFetch({ lookup })(`http://${HOST}:${torn.port}`);
    await collectGarbage();
    torn.go();
    expect(await response.text()).toBe('0123456789');
    expect(asked).toEqual([HOST, HOST]);
  });

  test('in the async context of nobody', async () => {
    const storage = new AsyncLocalStorage();
    const seen = [];
    const lookup = (...given) => {
      seen.push(storage.getStore());
      here(...given);
    };
    const client = storage.run('maker', () => createFetch({ lookup }));
    await storage.run('caller', async () => {
      await client(url());
      expect(storage.getStore()).toBe('caller');
    });
    expect(seen).toEqual([undefined]);
  });
});

/** What nobody holds any more is gone afterwards, if it can go. */
async function collectGarbage() {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  for (let turn = 0; turn < 5; turn++) {
    collect();
    await new Promise(setImmediate);
  }
}

test('it goes with its client', async () => {
  const use = async () => {
    // It holds its client, as a function that is made beside it may.
    const client = createFetch({ lookup: (...given) => void (client, here(...given)) });
    await (await client(url())).text();
    return new WeakRef(client);
  };
  const client = await use();
  await collectGarbage();
  expect(client.deref()).toBeUndefined();
});

describe('it answers', () => {
  test.each([
    ['an array, as for `all`', here],
    ['one address', (host, options, callback) => callback(null, '127.0.0.1', 4)],
    ['one address, later', (host, options, callback) => setImmediate(callback, null, '127.0.0.1', 4)],
    ['addresses without a family', (host, options, callback) => callback(null, ['127.0.0.1'])],
    ['no error by undefined', (host, options, callback) => callback(undefined, '127.0.0.1')],
    ['a promise of an array', async () => [{ address: '127.0.0.1', family: 4 }]],
    ['a promise of one address', async () => ({ address: '127.0.0.1', family: 4 })],
    ['a promise of a text', async () => '127.0.0.1'],
    ['a thenable of another library', () => ({ then: (resolve) => resolve('127.0.0.1') })],
    ['by its callback although it is async', async (host, options, callback) => void setImmediate(callback, null, '127.0.0.1')],
    ['more than once: the first counts', (host, options, callback) => {
      callback(null, '127.0.0.1');
      callback(new Error('late'));
      throw new Error('later');
    }],
    ['something that nobody can connect to besides', (host, options, callback) => callback(null, ['fe80::1%lo', 'nowhere', null, '127.0.0.1'])],
  ])('%s', async (name, lookup) => {
    expect(await (await createFetch({ lookup, retry: false })(url())).text()).toBe('ok');
  });

  test.each([
    ['dns.lookup', dns.lookup],
    ['dns.promises.lookup', dns.promises.lookup],
  ])('as %s does', async (name, lookup) => {
    expect((await createFetch({ lookup })(`http://localhost:${origin.port}`)).status).toBe(200);
  });

  test('with several addresses: all are tried, in their order', async () => {
    // Nothing listens at the first one.
    const lookup = async () => ['127.0.0.9', '127.0.0.1'];
    const response = await createFetch({ lookup, retry: false })(url());
    expect(response.status).toBe(200);
  });
});

describe('it fails', () => {
  const attempt = (lookup, options) => caught(createFetch({ lookup, retry: QUICK, ...options })(url()));

  test.each([
    ['by its callback', failing('ENOTFOUND', { syscall: 'queryA' })],
    ['by throwing', () => {
      throw Object.assign(new Error('queryA ENOTFOUND'), { code: 'ENOTFOUND', syscall: 'queryA' });
    }],
    ['by its promise', async () => {
      throw Object.assign(new Error('queryA ENOTFOUND'), { code: 'ENOTFOUND', syscall: 'queryA' });
    }],
  ])('%s, and that is the fault of the call', async (name, lookup) => {
    const error = await attempt(lookup);
    expect(error).toMatchObject({ name: 'TypeError', message: 'fetch failed', code: 'ENOTFOUND' });
    expect(error.stack).toContain(__filename);
    expect(error.cause).toMatchObject({
      name: 'FaultError', code: 'ENOTFOUND', kind: 'dns', phase: 'resolve', delivery: 'not-sent', transient: true, syscall: 'queryA',
      address: HOST, port: origin.port, detail: expect.stringContaining('queryA ENOTFOUND'),
    });
    expect(error.cause.cause).toMatchObject({ message: expect.stringMatching(/^queryA ENOTFOUND/) });
    // Transient, like any ENOTFOUND, and nothing was sent.
    expect(codesOf(error.recovery)).toEqual(Array(4).fill('ENOTFOUND'));
  });

  test('for a while: a retry may find the name, and a POST is repeated', async () => {
    let asked = 0;
    const lookup = (...given) => (asked++ === 0 ? failing('EAI_AGAIN') : here)(...given);
    const response = await createFetch({ lookup, retry: QUICK })(url(), { method: 'POST', body: 'b' });
    expect(codesOf(response.recovery)).toEqual(['EAI_AGAIN', null]);
    expect(origin.requests).toHaveLength(1);
  });

  test('with a code of its own: nothing is assumed about it', async () => {
    const error = await attempt(failing('E_REGISTRY_DOWN'));
    expect(error.cause).toMatchObject({
      code: 'E_REGISTRY_DOWN', kind: 'unknown', transient: false, phase: 'resolve', delivery: 'not-sent', syscall: 'lookup',
      reason: `The lookup option failed: queryA E_REGISTRY_DOWN ${HOST}`,
    });
    // The error that the caller's function threw does not hide what is known of it.
    expect(classify(error)).toMatchObject({ code: 'E_REGISTRY_DOWN', phase: 'resolve', delivery: 'not-sent' });
    expect(error.recovery).toMatchObject({ attempts: [{}], gaveUp: 'not-transient' });
  });

  test.each([
    ['an error without a code', new Error('boom'), 'UNKNOWN', 'boom'],
    ['a text', 'boom', 'UNKNOWN', 'boom'],
    ['an error behind an error', new TypeError('fetch failed', { cause: Object.assign(new Error('no registry'), { code: 'ECONNREFUSED' }) }), 'ECONNREFUSED', ''],
  ])('with %s', async (name, thrown, code, words) => {
    const lookup = () => {
      throw thrown;
    };
    const { cause } = await attempt(lookup, { retry: false });
    expect(cause).toMatchObject({ code, phase: 'resolve', delivery: 'not-sent', cause: thrown });
    expect(cause.reason).toMatch(new RegExp(`^The lookup option failed: .*${words}`));
  });

  test.each([
    ['no address', []],
    ['a promise of none', []],
  ])('with %s: ENOTFOUND', async (name, none) => {
    const lookup = name.startsWith('a promise') ? async () => none : (host, options, callback) => callback(null, none);
    const { cause } = await attempt(lookup, { retry: false });
    expect(cause).toMatchObject({ code: 'ENOTFOUND', kind: 'dns', reason: `The lookup option gave no address for ${HOST}.` });
  });

  test.each([
    ['a name', ['other.invalid'], '"other.invalid"'],
    ['a number', 2130706433, 'number'],
    ['null', null, 'object'],
    ['nothing', undefined, 'undefined'],
    ['objects without an address', [{ ip: '127.0.0.1' }], 'undefined'],
    ['an address with a zone', 'fe80::1%lo', '"fe80::1%lo"'],
  ])('with %s, which is no IP address', async (name, given, shown) => {
    const error = await attempt((host, options, callback) => callback(null, given));
    expect(error).toMatchObject({ message: 'fetch failed', code: 'ERR_INVALID_IP_ADDRESS' });
    expect(error.cause).toMatchObject({
      phase: 'resolve', delivery: 'not-sent', transient: false,
      reason: `The lookup option must give IP addresses; for ${HOST} it gave ${shown}.`,
    });
    expect(error.recovery.attempts).toHaveLength(1);
  });

  test('each call of its own: the error of another is not taken for its cause', async () => {
    let asked = 0;
    const lookup = (...given) => (asked++ === 0 ? failing('ENOTFOUND') : here)(...given);
    const client = createFetch({ lookup, retry: false });
    expect((await caught(client(url()))).cause.cause).toBeInstanceOf(Error);
    const broken = await startOrigin(rst);
    const error = await caught(client(`http://${HOST}:${broken.port}`));
    expect(isReset(error)).toBe(true);
    expect(error.cause.cause).toBeUndefined();
  });
});

describe('it takes too long', () => {
  test('the limit for connecting ends it, and an answer that comes late is nobody\'s', async () => {
    const callbacks = [];
    const client = createFetch({ lookup: (host, options, callback) => callbacks.push(callback), retry: false });
    const { cause } = await caught(client(url(), { timeout: { connect: 50 } }));
    expect(cause).toMatchObject({ code: 'ETIMEDOUT', phase: 'resolve', delivery: 'not-sent' });
    expect(cause.cause).toBeUndefined();
    callbacks[0](null, '127.0.0.1');
    const next = client(url());
    while (callbacks.length < 2) await new Promise(setImmediate);
    callbacks[1](null, '127.0.0.1');
    expect((await next).status).toBe(200);
    expect(origin.connections()).toBe(1);
  });

  test('an abort ends it at once', async () => {
    const controller = new AbortController();
    const mine = new Error('mine');
    const lookup = () => controller.abort(mine);
    await expect(createFetch({ lookup })(url(), { signal: controller.signal })).rejects.toBe(mine);
    expect(engine.nativeEngine().openCalls).toBe(0);
  });
});

describe('the system is asked', () => {
  const order = dns.getDefaultResultOrder();

  afterEach(() => {
    jest.restoreAllMocks();
    dns.setDefaultResultOrder(order);
  });

  test('in the order that holds when the first call begins', async () => {
    const asked = jest.spyOn(dns, 'getDefaultResultOrder');
    const client = createFetch();
    expect(asked).not.toHaveBeenCalled();
    for (let call = 0; call < 2; call++) await client(origin.url);
    expect(asked).toHaveBeenCalledTimes(1);
  });

  test.each([
    ['ipv4first', '127.0.0.1'],
    ['ipv6first', '::1'],
  ])('and its addresses are tried as dns.setDefaultResultOrder says: %s', async (preferred, address) => {
    const found = await dns.promises.lookup('localhost', { all: true });
    // Without both families there is nothing to choose from: then this shows no more than that the call succeeds. What
    // native code makes of the order is held by `src/http/transport/lookup/order.rs` too.
    const families = new Set(found.map(({ family }) => family));
    const servers = [http.createServer(answer), http.createServer(answer)];
    const [{ port }] = await listen(servers[0], 0, '127.0.0.1');
    if (families.has(6)) await listen(servers[1], port, '::1');
    dns.setDefaultResultOrder(preferred);
    const told = await (await createFetch()(`http://localhost:${port}`, { headers: { connection: 'close' } })).text();
    if (families.size === 2) expect(told).toBe(address);
    else expect(told).toBe(found[0].address);
    for (const server of servers) server.close();
  });

  function answer(request, response) {
    response.end(request.socket.localAddress);
  }

  async function listen(server, port, host) {
    server.listen(port, host);
    await once(server, 'listening');
    return [server.address()];
  }
});

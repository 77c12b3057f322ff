'use strict';

const net = require('node:net');

const { FaultProxy } = require('../../..');
const { closeAll } = require('../../../testing');
const { closeTcp, connect, listen } = require('../../support/tcp');

afterEach(async () => {
  await closeAll();
  await closeTcp();
});

/** A service that greets, so that a client knows whom it has reached. */
const greeting = (name, place) => listen((peer) => peer.socket.write(name), place);

async function greetedBy(proxy) {
  const client = await connect(proxy.port);
  return (await client.bytes(1)).toString();
}

describe('upstream', () => {
  test.each([
    ["'host:port'", (port) => `localhost:${port}`],
    ['a port', (port) => port],
    ['an object', (port) => ({ host: '127.0.0.1', port })],
    ['an object without a host', (port) => ({ port })],
  ])('%s', async (_, upstream) => {
    const { port } = await greeting('a');
    expect(await greetedBy(await FaultProxy.listen({ upstream: upstream(port) }))).toBe('a');
  });

  test('an IPv6 address in brackets', async () => {
    const { port } = await greeting('six', { host: '::1' });
    expect(await greetedBy(await FaultProxy.listen({ upstream: `[::1]:${port}` }))).toBe('six');
  });

  test('is reached anew for each connection', async () => {
    const { port } = await greeting('a');
    const proxy = await FaultProxy.listen({ upstream: port });
    await greetedBy(proxy);
    await closeTcp();
    await greeting('b', { port });
    expect(await greetedBy(proxy)).toBe('b');
  });

  test.each([
    [undefined, 'ERR_INVALID_ARG_TYPE', "upstream must be a string 'host:port', a port, or an object with host and port. Received undefined."],
    [null, 'ERR_INVALID_ARG_TYPE', 'upstream must be'],
    ['localhost', 'ERR_INVALID_ARG_VALUE', "upstream must be of the form 'host:port', an IPv6 address in brackets. Received 'localhost'."],
    ['http://localhost:80', 'ERR_INVALID_ARG_VALUE', 'upstream must be of the form'],
    ['::1:80', 'ERR_INVALID_ARG_VALUE', 'an IPv6 address in brackets'],
    ['localhost:0', 'ERR_OUT_OF_RANGE', 'with a port from 1 to 65535'],
    ['localhost:65536', 'ERR_OUT_OF_RANGE', 'with a port from 1 to 65535'],
    [0, 'ERR_OUT_OF_RANGE', 'upstream must be a whole number from 1 to 65535. Received 0.'],
    [{}, 'ERR_INVALID_ARG_TYPE', 'upstream.port must be'],
    [{ port: 1, host: '' }, 'ERR_INVALID_ARG_VALUE', 'upstream.host must be a host name or an IP address'],
    [{ port: 1, name: 'x' }, 'ERR_INVALID_ARG_VALUE', 'upstream.name is not an option. Accepted: host, port.'],
  ])('%p is refused', async (upstream, code, message) => {
    const error = await FaultProxy.listen({ upstream }).catch((thrown) => thrown);
    expect(error).toMatchObject({ code, message: expect.stringContaining(message) });
  });
});

describe('port and host', () => {
  test('a port that was asked for is the one', async () => {
    const { port } = await FaultProxy.listen({ upstream: 1 });
    await closeAll();
    expect((await FaultProxy.listen({ upstream: 1, port })).port).toBe(port);
  });

  test('by default only this machine is listened to', async () => {
    const proxy = await FaultProxy.listen({ upstream: 1 });
    expect(proxy.address).toBe(`127.0.0.1:${proxy.port}`);
    expect(proxy.url()).toBe(`http://127.0.0.1:${proxy.port}/`);
    expect(proxy.url('/a?b')).toBe(`http://127.0.0.1:${proxy.port}/a?b`);
    expect(proxy.url('a')).toBe(`http://127.0.0.1:${proxy.port}/a`);
  });

  test('an IPv6 address is listened to, and stands in brackets', async () => {
    const { port } = await greeting('a');
    const proxy = await FaultProxy.listen({ upstream: port, host: '::1' });
    expect(proxy.address).toBe(`[::1]:${proxy.port}`);
    expect(proxy.url('/')).toBe(`http://[::1]:${proxy.port}/`);
    expect((await (await connect(proxy.port, '::1')).bytes(1)).toString()).toBe('a');
    await expect(connect(proxy.port, '127.0.0.1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('a proxy on all addresses has a URL that a client can use', async () => {
    const proxy = await FaultProxy.listen({ upstream: 1, host: '0.0.0.0' });
    expect(proxy.address).toBe(`0.0.0.0:${proxy.port}`);
    expect(proxy.url()).toBe(`http://127.0.0.1:${proxy.port}/`);
    const six = await FaultProxy.listen({ upstream: 1, host: '::' });
    expect(six.address).toBe(`[::]:${six.port}`);
    expect(six.url()).toBe(`http://[::1]:${six.port}/`);
  });

  test('a port in use', async () => {
    const { port } = await listen();
    const error = await FaultProxy.listen({ upstream: 1, port }).catch((thrown) => thrown);
    // Message and fields are those of net.Server, whose errno is another one on each system.
    const usual = await new Promise((resolve) => {
      net.createServer().on('error', resolve).listen(port, '127.0.0.1');
    });
    expect(usual).toMatchObject({ code: 'EADDRINUSE', syscall: 'listen', address: '127.0.0.1', port });
    expect(error).toBeInstanceOf(Error);
    expect({ ...error, message: error.message }).toEqual({ ...usual, message: usual.message });
    expect(error.stack).toContain(__filename);
  });

  test('a port in use by another proxy', async () => {
    const { port } = await FaultProxy.listen({ upstream: 1 });
    await expect(FaultProxy.listen({ upstream: 1, port })).rejects.toMatchObject({ code: 'EADDRINUSE', port });
  });

  test('an address that is not of this machine', async () => {
    const listening = FaultProxy.listen({ upstream: 1, host: '192.0.2.1' });
    await expect(listening).rejects.toMatchObject({ code: 'EADDRNOTAVAIL', syscall: 'listen', address: '192.0.2.1', port: 0 });
  });

  test('a host that does not resolve', async () => {
    const error = await FaultProxy.listen({ upstream: 1, host: 'unreset.invalid' }).catch((thrown) => thrown);
    expect(error).toMatchObject({ syscall: 'getaddrinfo', address: 'unreset.invalid' });
    // EAI_AGAIN where there is no name server at all.
    expect(['ENOTFOUND', 'EAI_AGAIN']).toContain(error.code);
  });

  test.each([
    [{ port: 65_536 }, 'ERR_OUT_OF_RANGE', 'port must be a whole number from 0 to 65535. Received 65536.'],
    [{ port: '80' }, 'ERR_INVALID_ARG_TYPE', "port must be a whole number from 0 to 65535. Received '80'."],
    [{ host: 1 }, 'ERR_INVALID_ARG_TYPE', 'host must be a host name or an IP address. Received 1.'],
    [{ host: '' }, 'ERR_INVALID_ARG_VALUE', "host must be a host name or an IP address. Received ''."],
    [{ seed: -1 }, 'ERR_OUT_OF_RANGE', 'seed must be a whole number of at least 0. Received -1.'],
    [{ seed: 1.5 }, 'ERR_OUT_OF_RANGE', 'seed must be'],
    [{ seed: '7' }, 'ERR_INVALID_ARG_TYPE', 'seed must be'],
    [{ prot: 80 }, 'ERR_INVALID_ARG_VALUE', 'options.prot is not an option. Accepted: upstream, host, port, seed.'],
  ])('%p is refused', async (options, code, message) => {
    const error = await FaultProxy.listen({ upstream: 1, ...options }).catch((thrown) => thrown);
    expect(error).toMatchObject({ code, message: expect.stringContaining(message) });
  });

  test('options are needed', async () => {
    await expect(FaultProxy.listen()).rejects.toMatchObject({ message: 'options must be an object. Received undefined.' });
  });

  test('a proxy is made by listen()', () => {
    expect(() => new FaultProxy()).toThrow(new TypeError('A FaultProxy is made by FaultProxy.listen()'));
  });
});

describe('seed', () => {
  test('is the one that was given', async () => {
    expect((await FaultProxy.listen({ upstream: 1, seed: 7 })).seed).toBe(7);
    expect((await FaultProxy.listen({ upstream: 1, seed: Number.MAX_SAFE_INTEGER })).seed).toBe(Number.MAX_SAFE_INTEGER);
  });

  test('is otherwise another one each time', async () => {
    const proxies = await Promise.all(Array.from({ length: 4 }, () => FaultProxy.listen({ upstream: 1 })));
    const seeds = new Set(proxies.map(({ seed }) => seed));
    expect(seeds.size).toBe(4);
    for (const seed of seeds) expect(Number.isSafeInteger(seed)).toBe(true);
  });
});

describe('close', () => {
  test('ends connections and gives the port back', async () => {
    const service = await greeting('a');
    const proxy = await FaultProxy.listen({ upstream: service.port });
    const client = await connect(proxy.port);
    await client.bytes(1);
    const upstream = await service.connection(0);
    await proxy.close();
    await client.ended;
    await upstream.ended;
    await expect(connect(proxy.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await FaultProxy.listen({ upstream: 1, port: proxy.port });
  });

  test('may be called more than once, and by `await using`', async () => {
    const proxy = await FaultProxy.listen({ upstream: 1 });
    await Promise.all([proxy.close(), proxy.close()]);
    await proxy[Symbol.asyncDispose]();
    const other = await FaultProxy.listen({ upstream: 1 });
    await other[Symbol.asyncDispose]();
    await expect(connect(other.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('what is asked of a closed proxy', async () => {
    const proxy = await FaultProxy.listen({ upstream: 1 });
    const handle = proxy.add({ type: 'reset', on: 'idle' });
    await proxy.close();
    expect(() => proxy.add({ type: 'reset', on: 'idle' })).toThrow(
      expect.objectContaining({ code: 'ERR_SERVER_NOT_RUNNING', message: 'The FaultProxy is closed' }),
    );
    expect(proxy.resetAll()).toBe(0);
    expect(handle.hits).toBe(0);
    handle.remove();
    expect(proxy.ref().unref()).toBe(proxy);
    expect(proxy.stats().connections).toEqual({ accepted: 0, open: 0, upstreamFailed: 0 });
    expect(proxy.timeline().toString()).toBe('');
    proxy.pause();
    proxy.resume();
  });
});

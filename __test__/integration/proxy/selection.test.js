'use strict';

/** When a fault strikes, and whom. */

const { FaultProxy } = require('../../..');
const { closeAll } = require('../../../testing');
const { closeTcp, connect, listen } = require('../../support/tcp');

afterEach(async () => {
  await closeAll();
  await closeTcp();
});

const SHORT = 120;

async function proxied(options = {}) {
  const service = await listen((peer) => peer.socket.on('data', (chunk) => peer.socket.write(chunk)));
  return { service, proxy: await FaultProxy.listen({ upstream: service.port, ...options }) };
}

/** Opens connections one after the other, sends a byte on each, and tells which (from 1) were reset. */
async function struckOf(count, proxy) {
  const struck = [];
  for (let number = 1; number <= count; number++) {
    const client = await connect(proxy.port);
    client.socket.write('x');
    const outcome = await Promise.race([client.bytes(1).then(() => 'echoed'), client.ended]);
    if (outcome === 'ECONNRESET') struck.push(number);
    client.socket.destroy();
  }
  return struck;
}

describe('which connections', () => {
  test.each([
    ['all', {}, [1, 2, 3, 4, 5, 6]],
    ['connections', { connections: [1, 3] }, [1, 3]],
    ['everyNth', { everyNth: 2 }, [2, 4, 6]],
    ['times', { times: 2 }, [1, 2]],
    ['everyNth of connections', { connections: [1, 3, 4, 6], everyNth: 2 }, [3, 6]],
    ['everyNth and times', { everyNth: 2, times: 1 }, [2]],
    ['probability 0', { probability: 0 }, []],
    ['probability 1', { probability: 1 }, [1, 2, 3, 4, 5, 6]],
  ])('%s', async (_, selection, expected) => {
    const { proxy } = await proxied();
    const handle = proxy.add({ type: 'reset', on: 'request', ...selection });
    expect(await struckOf(6, proxy)).toEqual(expected);
    expect(handle.hits).toBe(expected.length);
  });

  test('with a probability the seed decides, and nothing else', async () => {
    const strikes = async (seed) => {
      const { proxy } = await proxied({ seed });
      proxy.add({ type: 'reset', on: 'request', probability: 0.5 });
      return struckOf(24, proxy);
    };
    const [first, again, other] = [await strikes(7), await strikes(7), await strikes(8)];
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
    expect(first.length).toBeGreaterThan(3);
    expect(first.length).toBeLessThan(21);
  });
});

describe('when', () => {
  test('afterMs: so long after the point; bytes go on flowing meanwhile', async () => {
    const { proxy } = await proxied();
    proxy.add({ type: 'reset', on: 'request', afterMs: SHORT });
    const client = await connect(proxy.port);
    await client.write('a');
    const began = performance.now();
    await client.bytes(1);
    await client.write('b');
    await client.bytes(2);
    expect(await client.ended).toBe('ECONNRESET');
    expect(performance.now() - began).toBeGreaterThan(SHORT * 0.8);
  });

  test('afterBytes of the request', async () => {
    const { service, proxy } = await proxied();
    proxy.add({ type: 'close', on: 'request', afterBytes: 3 });
    const client = await connect(proxy.port);
    client.socket.write('abcdef');
    expect(await client.ended).toBe('FIN');
    const upstream = await service.connection(0);
    await upstream.ended;
    expect(upstream.received.toString()).toBe('abc');
  });

  test('accept: before the upstream is contacted', async () => {
    const { service, proxy } = await proxied();
    proxy.add({ type: 'reset', on: 'accept' });
    const client = await connect(proxy.port).catch((error) => ({ ended: error.code }));
    expect(await client.ended).toBe('ECONNRESET');
    expect(service.accepted).toHaveLength(0);
  });

  test('idle: silence in both directions, measured anew after each byte', async () => {
    const { proxy } = await proxied();
    proxy.add({ type: 'reset', on: 'idle', afterMs: SHORT * 4 });
    const client = await connect(proxy.port);
    // Longer than the silence all in all, and each pause far shorter.
    for (let i = 1; i <= 5; i++) {
      await client.write('x');
      await client.bytes(i);
      await new Promise((resolve) => {
        setTimeout(resolve, SHORT);
      });
    }
    expect(await client.ended).toBe('ECONNRESET');
    expect(client.received).toHaveLength(5);
  });

  test('a fault strikes connections that are open when it is added, at their next byte', async () => {
    const { proxy } = await proxied();
    const client = await connect(proxy.port);
    await client.write('hello');
    await client.bytes(5);
    const handle = proxy.add({ type: 'reset', on: 'response', afterBytes: 2 });
    await client.write('!');
    expect(await client.ended).toBe('ECONNRESET');
    expect(client.received.toString()).toBe('hello');
    expect(handle.hits).toBe(1);
  });

  test('a fault that was removed strikes nobody', async () => {
    const { proxy } = await proxied();
    const handle = proxy.add({ type: 'reset', on: 'request' });
    expect(await struckOf(1, proxy)).toEqual([1]);
    handle.remove();
    handle.remove();
    expect(await struckOf(2, proxy)).toEqual([]);
    expect(handle.hits).toBe(1);
  });
});

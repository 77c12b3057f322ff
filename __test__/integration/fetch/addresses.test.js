'use strict';

/** A host with several addresses: one that does not work costs time, not the call. */

const os = require('node:os');

const { createFetch } = require('../../..');
const { closeAll, openBlackHole, startOrigin } = require('../../../testing');
const { caught, codesOf } = require('../../support/fetch-outcomes');
const { startHost, resolving } = require('../../support/several-addresses');

/** Each call needs a connection of its own, so that each chooses an address. */
const closing = (request, response) => {
  response.setHeader('connection', 'close');
  response.end('ok');
};
const QUICK = { backoff: { base: 1, cap: 2 } };
const [A, B, C] = ['127.0.0.1', '127.0.0.2', '127.0.0.3'];
const onLinux = process.platform === 'linux' ? test : test.skip; // elsewhere there is only 127.0.0.1
const interfaces = Object.values(os.networkInterfaces()).flat();
const withIpv6 = interfaces.some(({ address }) => address === '::1') ? onLinux : test.skip;

const accepted = (proxy) => proxy.stats().connections.accepted;

afterEach(closeAll);

describe('the first address does not work', () => {
  onLinux.each(['GET', 'POST'])('%s: it refuses; the next one serves, and no retry is spent', async (method) => {
    const origin = await startOrigin();
    const { url, lookup, asked, at } = await startHost({ upstream: origin.port, addresses: [A, B, C] });
    at[A].add({ type: 'refuse', on: 'accept' });
    const response = await createFetch({ lookup, retry: false })(url, { method });
    expect(await response.text()).toBe('ok');
    expect(codesOf(response.recovery)).toEqual([null]);
    expect(origin.requests).toHaveLength(1);
    expect([accepted(at[B]), accepted(at[C])]).toEqual([1, 0]);
    expect(asked).toEqual(['several.test']);
  });

  onLinux('all refuse but the last', async () => {
    const origin = await startOrigin();
    const { url, lookup, at } = await startHost({ upstream: origin.port, addresses: [A, B, C] });
    for (const address of [A, B]) at[address].add({ type: 'refuse', on: 'accept' });
    const response = await createFetch({ lookup, retry: false })(url);
    expect(await response.text()).toBe('ok');
    expect(accepted(at[C])).toBe(1);
  });

  onLinux('all refuse: the error says so, and that nothing was sent', async () => {
    const { url, lookup, at } = await startHost({ upstream: 1, addresses: [A, B, C] });
    for (const proxy of Object.values(at)) proxy.add({ type: 'refuse', on: 'accept' });
    const error = await caught(createFetch({ lookup, retry: false })(url, { method: 'POST', body: 'b' }));
    expect(error).toMatchObject({ code: 'ECONNREFUSED', recovery: { attempts: [{}] } });
    expect(error.cause).toMatchObject({ phase: 'connect', delivery: 'not-sent', port: at[A].port });
  });

  onLinux('it does not answer: the next one is tried after 250 ms, long before the connect limit', async () => {
    const hole = await openBlackHole();
    const origin = await startOrigin();
    const { url, at } = await startHost({ upstream: origin.port, addresses: [B, C], port: hole.port });
    const { lookup } = resolving([A, B, C]);
    const begun = performance.now();
    const response = await createFetch({ lookup, retry: false })(url, { method: 'POST', body: 'b' });
    const took = performance.now() - begun;
    expect(await response.text()).toBe('ok');
    // RFC 8305, section 5: the Connection Attempt Delay. Timers may ring a little early, and late on a busy machine.
    expect(took).toBeGreaterThan(240);
    expect(took).toBeLessThan(2000);
    expect(origin.requests).toHaveLength(1);
    expect(accepted(at[B])).toBe(1);
  });

  onLinux('it resets every connection: the retry goes to another one', async () => {
    const origin = await startOrigin();
    const { url, lookup, at } = await startHost({ upstream: origin.port, addresses: [A, B, C] });
    at[A].add({ type: 'reset', on: 'request' });
    const response = await createFetch({ lookup, retry: QUICK })(url);
    expect(await response.text()).toBe('ok');
    expect(codesOf(response.recovery)).toEqual(['ECONNRESET', null]);
    expect([accepted(at[A]), accepted(at[B]), accepted(at[C])]).toEqual([1, 1, 0]);
  });
});

describe('an address that has failed is not the first to be tried for a while', () => {
  onLinux('when it resets', async () => {
    const origin = await startOrigin(closing);
    const { url, lookup, at } = await startHost({ upstream: origin.port, addresses: [A, B] });
    at[A].add({ type: 'reset', on: 'request' });
    const fetch = createFetch({ lookup, retry: QUICK });
    for (let call = 0; call < 5; call += 1) {
      const response = await fetch(url);
      expect(await response.text()).toBe('ok');
      expect(codesOf(response.recovery)).toEqual(call === 0 ? ['ECONNRESET', null] : [null]);
    }
    expect([accepted(at[A]), accepted(at[B])]).toEqual([1, 5]);
  });

  onLinux('when it does not answer', async () => {
    const hole = await openBlackHole();
    const origin = await startOrigin(closing);
    const { url } = await startHost({ upstream: origin.port, addresses: [B], port: hole.port });
    const fetch = createFetch({ lookup: resolving([A, B]).lookup, retry: false });
    await (await fetch(url)).text();
    const begun = performance.now();
    for (let call = 0; call < 5; call += 1) await (await fetch(url)).text();
    // Five times the delay.
    expect(performance.now() - begun).toBeLessThan(1250);
  });

  onLinux('but it is still tried when the others fail', async () => {
    const origin = await startOrigin(closing);
    const { url, lookup, at } = await startHost({ upstream: origin.port, addresses: [A, B] });
    const reset = at[A].add({ type: 'reset', on: 'request' });
    const fetch = createFetch({ lookup, retry: QUICK });
    await (await fetch(url)).text();
    reset.remove();
    at[B].add({ type: 'refuse', on: 'accept' });
    const response = await fetch(url, { retry: false });
    expect(await response.text()).toBe('ok');
    expect(accepted(at[A])).toBe(2);
  });
});

withIpv6('families take turns: after an IPv4 address that refuses comes an IPv6 address', async () => {
  const origin = await startOrigin();
  const { url, lookup, at } = await startHost({ upstream: origin.port, addresses: [A, B, '::1'] });
  at[A].add({ type: 'refuse', on: 'accept' });
  const response = await createFetch({ lookup, retry: false })(url);
  expect(await response.text()).toBe('ok');
  expect([accepted(at['::1']), accepted(at[B])]).toEqual([1, 0]);
});

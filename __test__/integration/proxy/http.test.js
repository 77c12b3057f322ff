'use strict';

/**
 * The points of HTTP/1.1, met by real clients: what the client is told, what the server saw, and what our fetch makes
 * of it. These are the cases that decide whether a retry is safe.
 */

const http = require('node:http');
const { once } = require('node:events');

const { FaultProxy, classify, fetch } = require('../../..');
const { closeAll, inTurn, matchers, reply, startOrigin } = require('../../../testing');
const { closeTcp, connect } = require('../../support/tcp');

const [NODE] = process.versions.node.split('.').map(Number);
const undici = require(NODE >= 22 ? 'undici' : 'undici-7');

expect.extend(matchers);
afterEach(async () => {
  await closeAll();
  await closeTcp();
});

const BODY = 'x'.repeat(5000);
/** Our fetch's retries without its waits. */
const QUICK = { backoff: { base: 1, cap: 2 } };

async function through(fault, answer = reply(200, {}, BODY)) {
  const origin = await startOrigin(answer);
  const proxy = await FaultProxy.listen({ upstream: origin.port });
  return { origin, proxy, handle: proxy.add(fault), url: proxy.url('/orders') };
}

const CLIENTS = {
  'the built-in fetch': async (url, method) => (await globalThis.fetch(url, { method })).text(),
  'our fetch': async (url, method) => (await fetch(url, { method, retry: false })).text(),
  'undici.request': async (url, method) => (await undici.request(url, { method, reset: true })).body.text(),
  async http(url, method) {
    const request = http.request(url, { method, agent: false });
    request.end();
    request.on('error', () => {});
    const [response] = await once(request, 'response');
    let text = '';
    for await (const chunk of response) text += chunk;
    return text;
  },
};

describe.each(Object.entries(CLIENTS))('%s', (_, call) => {
  test('before-request-forwarded: the server sees nothing of it', async () => {
    const { origin, handle, url } = await through({ type: 'reset', on: 'before-request-forwarded', times: 1 });
    await expect(call(url, 'POST')).rejects.toHaveFault({ code: 'ECONNRESET', kind: 'reset' });
    expect(handle).toHaveStruck(1);
    expect(origin.requests).toEqual([]);
    expect(await call(url, 'POST')).toBe(BODY);
  });

  test('after-request-forwarded: the server handles it, and the answer is lost', async () => {
    const { origin, handle, url } = await through({ type: 'reset', on: 'after-request-forwarded', times: 1 });
    await expect(call(url, 'POST')).rejects.toHaveFault({ code: 'ECONNRESET', kind: 'reset', delivery: 'unknown' });
    expect(handle).toHaveStruck(1);
    expect(await origin.received(0)).toMatchObject({ method: 'POST', path: '/orders' });
    expect(await call(url, 'POST')).toBe(BODY);
  });

  test('response-head: a part of the head is no answer', async () => {
    const { origin, url } = await through({ type: 'close', on: 'response-head', afterBytes: 12 });
    const error = await call(url, 'GET').catch((thrown) => thrown);
    expect(classify(error)).toMatchObject({ delivery: expect.stringMatching(/unknown|answered/), transient: true });
    expect(origin.requests).toHaveLength(1);
  });

  test('response-body: the head is there and the body breaks', async () => {
    const { url } = await through({ type: 'reset', on: 'response-body', afterBytes: 1000 });
    await expect(call(url, 'GET')).rejects.toHaveFault({ code: 'ECONNRESET', kind: 'reset' });
  });
});

test('response-body: exactly so many bytes of it arrive', async () => {
  const { url } = await through({ type: 'close', on: 'response-body', afterBytes: 1234 });
  const request = http.get(url, { agent: false });
  const [response] = await once(request, 'response');
  let count = 0;
  response.on('data', (chunk) => {
    count += chunk.length;
  });
  await once(response, 'error').catch(() => {});
  expect(count).toBe(1234);
});

test('response-head: exactly so many bytes of it arrive', async () => {
  const { proxy } = await through({ type: 'close', on: 'response-head', afterBytes: 12 });
  const client = await connect(proxy.port);
  await client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  expect(await client.ended).toBe('FIN');
  expect(client.received.toString()).toBe('HTTP/1.1 200');
});

test('afterMs of a point of HTTP: the answer has time to arrive', async () => {
  const { url } = await through({ type: 'reset', on: 'after-request-forwarded', afterMs: 10_000, match: { path: '/orders' } });
  expect(await (await globalThis.fetch(url)).text()).toBe(BODY);
});

test('what our fetch does: a GET is repeated, a POST that was handled is not', async () => {
  const { origin, proxy, url } = await through({ type: 'reset', on: 'after-request-forwarded', match: { method: 'post' } });
  proxy.add({ type: 'reset', on: 'before-request-forwarded', match: { method: 'GET' }, times: 2 });
  await expect(fetch(url, { retry: QUICK })).resolves.toHaveRecovered({ attempts: 3, faults: ['ECONNRESET', 'ECONNRESET'] });
  await expect(fetch(url, { method: 'POST', body: 'order', retry: QUICK })).rejects.toHaveFault({ delivery: 'unknown' });
  await origin.received(1);
  expect(origin.requests.map(({ method }) => method)).toEqual(['GET', 'POST']);
});

describe('match', () => {
  test.each([
    ['method', { method: 'delete' }, ['/a', '/b'], 'DELETE', [['DELETE', '/a'], ['DELETE', '/b']]],
    ['path, whatever the query', { path: '/a' }, ['/a?x=1', '/ab', '/b'], 'GET', [['GET', '/a?x=1']]],
    ['a prefix', { path: '/a*' }, ['/a', '/ab', '/b'], 'GET', [['GET', '/a'], ['GET', '/ab']]],
    ['both', { method: 'GET', path: '/a' }, ['/a'], 'POST', []],
  ])('%s', async (_, match, paths, method, struck) => {
    const { proxy } = await through({ type: 'reset', on: 'before-request-forwarded', match }, reply());
    const lost = [];
    for (const path of paths) {
      await globalThis.fetch(proxy.url(path), { method }).then((response) => response.text(), () => lost.push([method, path]));
    }
    expect(lost).toEqual(struck);
  });

  test('with match, bytes are counted from the start of the message, on a kept connection too', async () => {
    const { proxy } = await through({ type: 'close', on: 'response', afterBytes: 17, match: { path: '/b' } }, reply());
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    await ask(proxy.url('/a'), agent);
    await expect(ask(proxy.url('/b'), agent)).rejects.toMatchObject({ code: expect.any(String) });
    agent.destroy();
    const strike = proxy.timeline().find(({ event }) => event === 'strike');
    expect(strike).toMatchObject({ type: 'close', on: 'response', exchange: 2 });
    expect(proxy.stats().connections.accepted).toBe(1);
  });

  async function ask(url, agent) {
    const request = http.get(url, { agent });
    const [response] = await once(request, 'response');
    response.resume();
    await once(response, 'end');
  }
});

test('the unit of an HTTP point is the exchange: every second request of one connection', async () => {
  const { proxy, handle } = await through(
    { type: 'latency', on: 'response-head', ms: 1, everyNth: 2 },
    inTurn(reply(), reply(), reply(), reply()),
  );
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  for (let i = 0; i < 4; i++) {
    const [response] = await once(http.get(proxy.url('/'), { agent }), 'response');
    await once(response.resume(), 'end');
  }
  agent.destroy();
  expect(proxy.stats().connections.accepted).toBe(1);
  expect(handle.hits).toBe(2);
});

'use strict';

const { AsyncLocalStorage } = require('node:async_hooks');
const diagnostics = require('node:diagnostics_channel');

const { createFetch, createPolicy, retry, wrapFetch } = require('../../..');
const { closeAll, inTurn, ok, partial, reply, rst, startOrigin } = require('../../../testing');
const { caught } = require('../../support/fetch-outcomes');
const { runProgram } = require('../../support/program');

const QUICK = { backoff: { base: 1, cap: 2 } };
const NAMES = ['attempt', 'retry', 'recovered', 'gave-up', 'breaker'];

let subscriptions;
beforeEach(() => {
  subscriptions = [];
});
afterEach(async () => {
  for (const [name, listener] of subscriptions) diagnostics.unsubscribe(`unreset:${name}`, listener);
  await closeAll();
});

/** Everything that the channels carry from now on: `[name, message]`. */
function recordChannels() {
  const told = [];
  for (const name of NAMES) {
    const listener = (message) => told.push([name, message]);
    diagnostics.subscribe(`unreset:${name}`, listener);
    subscriptions.push([name, listener]);
  }
  return told;
}

function recordPolicy(policy) {
  const told = [];
  for (const name of NAMES) policy.on(name, (message) => told.push([name, message]));
  return told;
}

/** Each surface: how it makes a GET of a URL under a policy. */
const SURFACES = {
  fetch: (policy) => {
    const client = createFetch({ retry: policy });
    return (url, init) => client(url, init).then((response) => response.text());
  },
  retry: (policy) => {
    // Without resilience of its own: `retry` alone is what is looked at.
    const client = createFetch({ retry: false, resume: false });
    return (url, init) => retry(async () => {
      const response = await client(url, init);
      if (response.status >= 500) throw response;
      return response.text();
    }, { policy, origin: new URL(url).origin });
  },
};

describe.each(Object.keys(SURFACES))('%s', (surface) => {
  const known = (url) => (surface === 'retry'
    ? { surface, origin: new URL(url).origin }
    : { surface, origin: new URL(url).origin, method: 'GET', url });
  const setUp = () => {
    const policy = createPolicy(QUICK);
    return { policy, call: SURFACES[surface](policy) };
  };

  test('a call that recovers: attempt, retry, attempt, recovered', async () => {
    const { url } = await startOrigin(inTurn(rst, ok));
    const { policy, call } = setUp();
    const told = recordPolicy(policy);
    await call(url);
    const about = known(url);
    const fault = expect.objectContaining({ code: 'ECONNRESET', delivery: 'unknown' });
    expect(told).toEqual([
      ['attempt', { ...about, attempt: 1, fault }],
      ['retry', { ...about, attempt: 1, fault, delay: expect.any(Number), why: surface === 'retry' ? 'declared' : 'idempotent-method' }],
      ['attempt', { ...about, attempt: 2, fault: null }],
      ['recovered', { ...about, recovery: expect.objectContaining({ attempts: [{ fault, delay: 0 }, { fault: null, delay: expect.any(Number) }] }) }],
    ]);
    expect(told[1][1].delay).toBe(told[3][1].recovery.attempts[1].delay);
  });

  test('a call that is answered at once: attempt alone', async () => {
    const { url } = await startOrigin(ok);
    const { policy, call } = setUp();
    const told = recordPolicy(policy);
    await call(url);
    expect(told).toEqual([['attempt', { ...known(url), attempt: 1, fault: null }]]);
  });

  test('a call that fails: gave-up, with the reason', async () => {
    const { url } = await startOrigin(rst);
    const policy = createPolicy({ ...QUICK, retries: 1 });
    const told = recordPolicy(policy);
    await caught(SURFACES[surface](policy)(url));
    expect(told.map(([name]) => name)).toEqual(['attempt', 'retry', 'attempt', 'gave-up']);
    expect(told.at(-1)[1]).toEqual({
      ...known(url), fault: expect.objectContaining({ code: 'ECONNRESET' }), gaveUp: 'attempts-exhausted',
      recovery: expect.objectContaining({ gaveUp: 'attempts-exhausted' }),
    });
  });

  test('a call that is aborted did not give up', async () => {
    const { url } = await startOrigin(rst);
    const controller = new AbortController();
    const policy = createPolicy({ backoff: { base: 3_600_000, cap: 3_600_000 }, within: Infinity });
    const told = recordPolicy(policy);
    policy.on('retry', () => controller.abort());
    const call = surface === 'fetch'
      ? createFetch({ retry: policy })(url, { signal: controller.signal })
      : retry(() => createFetch({ retry: false })(url), { policy, signal: controller.signal });
    await caught(call);
    expect(told.map(([name]) => name)).toEqual(['attempt', 'retry']);
  });

  test('the channels carry the same messages, without a listener on the policy', async () => {
    const { url } = await startOrigin(inTurn(rst, reply(503), ok));
    const { call } = setUp();
    const told = recordChannels();
    await call(url);
    expect(told.map(([name, { attempt }]) => [name, attempt])).toEqual(
      // The inner fetch of the other surface is a surface of its own, that does not retry.
      surface === 'fetch'
        ? [['attempt', 1], ['retry', 1], ['attempt', 2], ['retry', 2], ['attempt', 3], ['recovered', undefined]]
        : expect.arrayContaining([['attempt', 1], ['retry', 1], ['attempt', 2], ['retry', 2], ['attempt', 3], ['recovered', undefined]]),
    );
  });

  test('listeners run in the context of the call', async () => {
    const { url } = await startOrigin(inTurn(rst, ok, rst, ok));
    const { policy, call } = setUp();
    const storage = new AsyncLocalStorage();
    const seen = [];
    for (const name of NAMES) policy.on(name, () => seen.push(storage.getStore()));
    await storage.run('first', () => call(url));
    await storage.run('second', () => call(url));
    expect(seen).toEqual([...Array(4).fill('first'), ...Array(4).fill('second')]);
  });
});

test('a status that is taken for want of a better answer gave up', async () => {
  const { url } = await startOrigin(reply(503));
  const policy = createPolicy({ ...QUICK, retries: 1 });
  const told = recordPolicy(policy);
  await createFetch({ retry: policy })(url);
  expect(told.map(([name]) => name)).toEqual(['attempt', 'retry', 'attempt', 'gave-up']);
  expect(told.at(-1)[1]).toMatchObject({ fault: { code: 'HTTP_503' }, gaveUp: 'attempts-exhausted' });
});

test('a body that breaks and goes on is told when it has arrived', async () => {
  const body = 'x'.repeat(1_000);
  const { url } = await startOrigin(inTurn(
    partial(rst, { part: body.slice(0, 400), headers: { etag: '"1"', 'content-length': '1000' } }),
    reply(206, { etag: '"1"', 'content-range': 'bytes 400-999/1000' }, body.slice(400)),
  ));
  const policy = createPolicy(QUICK);
  const told = recordPolicy(policy);
  const response = await createFetch({ retry: policy })(url);
  expect(await response.text()).toBe(body);
  expect(told.at(-1)).toEqual(['recovered', expect.objectContaining({ recovery: expect.objectContaining({ resumed: 1 }) })]);
});

test('attempts are numbered beyond the hundred that recovery tells of', async () => {
  const { url } = await startOrigin(inTurn(...Array(104).fill(reply(503)), ok));
  const policy = createPolicy({ retries: Infinity, backoff: { base: 0 }, budget: false });
  const told = recordPolicy(policy);
  const { recovery } = await createFetch({ retry: policy })(url);
  expect(recovery.attempts).toHaveLength(100);
  expect(told.at(-2)).toEqual(['attempt', expect.objectContaining({ attempt: 105, fault: null })]);
});

test.each(['http://user:secret@', 'http:user:secret@', ' http:\\\\user:secret@'])('no credentials are told of: %s', async (prefix) => {
  const { port } = new URL((await startOrigin(rst)).url);
  const policy = createPolicy({ ...QUICK, retries: 1 });
  const told = recordPolicy(policy);
  // By now the built-in fetch refuses such a URL; older clients send it.
  const client = wrapFetch(() => Promise.reject(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })), { retry: policy });
  await caught(client(`${prefix}127.0.0.1:${port}/path`));
  expect(told.map(([name, message]) => [name, message.url.trim()])).toEqual(
    ['attempt', 'retry', 'attempt', 'gave-up'].map((name) => [name, `http://127.0.0.1:${port}/path`]),
  );
});

test('once and off', async () => {
  const { url } = await startOrigin(ok);
  const policy = createPolicy();
  const client = createFetch({ retry: policy });
  const [once, off] = [jest.fn(), jest.fn()];
  policy.once('attempt', once).on('attempt', off).off('attempt', off);
  await client(url);
  await client(url);
  expect(once).toHaveBeenCalledTimes(1);
  expect(off).not.toHaveBeenCalled();
});

test('what a listener throws is uncaught, and neither the call nor other listeners suffer', async () => {
  const { url } = await startOrigin(ok);
  const { code, stdout, stderr } = await runProgram('throwing-listener.js', [url]);
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual({ status: 200, second: 1, uncaught: ['of a listener'] });
  expect(code).toBe(0);
});

test('NODE_DEBUG=unreset says what happens, on stderr', async () => {
  const { url } = await startOrigin(inTurn(rst, ok));
  const { stderr, code } = await runProgram('fetch-once.js', [url], { env: { NODE_DEBUG: 'unreset' } });
  expect(code).toBe(0);
  expect(stderr).toMatch(/UNRESET \d+: fetch GET http:.*: attempt 1 failed with ECONNRESET \(wait, unknown\); again in \d/);
  expect(stderr).toMatch(/recovered, 2 attempts/);
});

test('a listener that is none, and an event that there is not', () => {
  const policy = createPolicy();
  expect(() => policy.on('retries', () => {})).toThrow('event must be one of attempt, retry, recovered, gave-up, breaker. Received \'retries\'.');
  expect(() => policy.on('retry', 7)).toThrow('listener must be a function. Received 7.');
});

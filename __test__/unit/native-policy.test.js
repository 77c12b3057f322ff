'use strict';

/**
 * The native policy as wrappers hold it: what crosses, under which clock, and what it shares with native clients. Its
 * rules are tested in Rust.
 */

const native = require('../../lib/native');
const { BREAKER, FAILED, KIND_MASK, SLOTS, BATCH } = require('../../lib/engine/completion');
const { closeTcp, listen } = require('../support/tcp');

const ORIGIN = 'https://api.example';
const BREAKER_OPTIONS = { window: 5000, minCalls: 2, failureRate: 1, openFor: 1000, probes: 1 };

const policyOf = (options, now = 0) => new native.NativePolicy(JSON.stringify(options), now);
const RESET = { code: 'ECONNRESET', kind: 'reset', phase: 'wait', delivery: 'unknown', transient: true };

function decide(retries, now, fault = RESET) {
  const { retry, gaveUp } = JSON.parse(retries.decide(JSON.stringify({ fault, method: 'GET' }), now, 0));
  return retry ? 'retry' : gaveUp;
}

const statsOf = (policy, now, origin = ORIGIN) => JSON.parse(policy.stats(now))[origin];

afterEach(closeTcp);

/** An engine of its own. Resolves with the next completion of a kind: its number in the protocol, and its value. */
function engineFor(kind) {
  const numbers = new Float64Array(SLOTS * BATCH);
  let engine;
  const arrived = new Promise((resolve) => {
    engine = new native.Engine((count, values) => {
      if (count > 0 && (numbers[0] & KIND_MASK) === kind) resolve({ number: numbers[1], value: values[0] });
    }, numbers);
  });
  engine.hold(true);
  return { engine, arrived: arrived.finally(() => engine.hold(false)) };
}

test('without a breaker a call is counted, admitted, and of no further interest', () => {
  const policy = policyOf({});
  expect(policy.count(ORIGIN, 0)).toBe(-1);
  policy.succeeded(ORIGIN, 0, -1);
  const retries = policy.begin(ORIGIN, 0, -1);
  expect(decide(retries, 0)).toBe('retry');
  expect(retries.admit(0)).toBe(-1);
  retries.succeeded(0, 200);
  expect(statsOf(policy, 0)).toEqual({
    calls: 1, retries: 1, recovered: 1, gaveUp: 0, refused: 0, budget: 99, breaker: null,
  });
});

test('a ticket ties an outcome to the attempt that was admitted', () => {
  const policy = policyOf({ breaker: BREAKER_OPTIONS });
  const late = policy.count(ORIGIN, 0);
  expect(late).toBeLessThanOrEqual(-2);
  for (let call = 0; call < 2; call += 1) decide(policy.begin(ORIGIN, 0, policy.count(ORIGIN, 0)), 0);
  expect(policy.count(ORIGIN, 250)).toBe(750);

  policy.succeeded(ORIGIN, 300, late);
  expect(statsOf(policy, 300).breaker).toBe('open');
  const probe = policy.count(ORIGIN, 1000);
  expect(probe).toBeLessThanOrEqual(-2);
  expect(policy.count(ORIGIN, 1000)).toBe(1000);
  policy.succeeded(ORIGIN, 1001, late);
  expect(statsOf(policy, 1001).breaker).toBe('half-open');
  policy.succeeded(ORIGIN, 1001, probe, 404);
  expect(statsOf(policy, 1001)).toMatchObject({ breaker: 'closed', calls: 6, refused: 3 });
});

test('a status says whether the server is there', () => {
  const policy = policyOf({ breaker: { ...BREAKER_OPTIONS, minCalls: 1 } });
  policy.succeeded(ORIGIN, 0, policy.count(ORIGIN, 0), 429);
  policy.succeeded(ORIGIN, 0, policy.count(ORIGIN, 0));
  expect(statsOf(policy, 0).breaker).toBe('closed');
  const again = policyOf({ breaker: { ...BREAKER_OPTIONS, minCalls: 1 } });
  again.succeeded(ORIGIN, 0, again.count(ORIGIN, 0), 503);
  expect(statsOf(again, 0).breaker).toBe('open');
});

test('later attempts are admitted, answered, refused and abandoned by their call', () => {
  const policy = policyOf({ breaker: { ...BREAKER_OPTIONS, minCalls: 3 }, budget: false });
  const retries = policy.begin(ORIGIN, 0, policy.count(ORIGIN, 0));
  expect(decide(retries, 0)).toBe('retry');
  for (let call = 0; call < 2; call += 1) decide(policy.begin(ORIGIN, 0, policy.count(ORIGIN, 0)), 0);
  expect(retries.admit(400)).toBe(600);
  expect(policy.withOptions('{}').count(ORIGIN, 400)).toBe(-1);

  const aborted = policy.begin(ORIGIN, 1000, policy.count(ORIGIN, 1000));
  expect(policy.count(ORIGIN, 1000)).toBe(1000);
  aborted.abandon();
  const probe = policy.begin(ORIGIN, 1001, policy.count(ORIGIN, 1001));
  expect(decide(probe, 1002, { ...RESET, code: 'ABORT_ERR', kind: 'aborted', transient: false })).toBe('aborted');
  expect(policy.count(ORIGIN, 1003)).toBeLessThanOrEqual(-2);
});

test('the end of the call limits its attempts, and time that runs out is counted', () => {
  const policy = policyOf({});
  const retries = policy.begin(ORIGIN, 0, policy.count(ORIGIN, 0));
  retries.limitTo(50);
  expect(retries.outOfTime(49)).toBe(false);
  expect(retries.outOfTime(50)).toBe(true);
  retries.ranOutOfTime();
  expect(decide(retries, 50)).toBe('out-of-time');
  expect(statsOf(policy, 50).gaveUp).toBe(1);
});

test('a watcher hears once that breakers changed, and asks how', async () => {
  const policy = policyOf({ breaker: { ...BREAKER_OPTIONS, minCalls: 1 } });
  const { engine, arrived } = engineFor(BREAKER);
  policy.withOptions('{}').watch(engine, 77);
  policy.succeeded(ORIGIN, 10, policy.count(ORIGIN, 10), 500);
  expect(await arrived).toEqual({ number: 77, value: undefined });
  expect(JSON.parse(policy.takeChanges())).toEqual([{ origin: ORIGIN, from: 'closed', to: 'open', at: 10, retryIn: 1000 }]);
  expect(policy.takeChanges()).toBeNull();
});

test('a native client under the policy shares its origins and its clock', async () => {
  const began = performance.now();
  const policy = policyOf({ breaker: BREAKER_OPTIONS }, began);
  const server = await listen(({ socket }) => socket.once('data', () => socket.resetAndDestroy()));
  const origin = `http://127.0.0.1:${server.port}`;
  const { engine, arrived } = engineFor(FAILED);
  const retry = { breaker: BREAKER_OPTIONS, backoff: { base: 0 } };
  const client = new native.NativeClient(engine, JSON.stringify({ retry, timeout: {} }), 'verbatim', undefined, policy);
  client.start(1, 0, `GET\n\n${origin}/`);
  const { fault, recovery } = JSON.parse((await arrived).value);
  expect([fault.code, recovery.gaveUp]).toEqual(['ECONNRESET', 'breaker-open']);

  const now = performance.now();
  expect(policy.count(origin, now)).toBeGreaterThan(0);
  const [{ at, to }] = JSON.parse(policy.takeChanges());
  expect(to).toBe('open');
  expect(at).toBeGreaterThanOrEqual(began - 0.01);
  expect(at).toBeLessThanOrEqual(now + 0.01);
  expect(statsOf(policy, now, origin)).toMatchObject({ calls: 2, retries: 1, gaveUp: 2, refused: 2, breaker: 'open' });
});

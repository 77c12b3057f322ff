'use strict';

const { parseRetryOptions } = require('../../lib/policy/options');
const { Policy } = require('../../lib/policy/policy');

const ORIGIN = 'https://api.example:443';

const fault = (fields) => ({ code: 'ECONNRESET', kind: 'reset', phase: 'wait', delivery: 'unknown', transient: true, ...fields });

const policyOf = (retry) => new Policy(parseRetryOptions(retry));

/** A call that begins now. */
function begin(policy, origin = ORIGIN) {
  return policy.begin(origin, performance.now(), policy.count(origin));
}

beforeEach(() => {
  jest.useFakeTimers();
  jest.spyOn(Math, 'random').mockReturnValue(0.999_999);
});

afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});

test('the defaults: three retries with full jitter, then the reason', () => {
  const retries = begin(new Policy());
  const decide = () => retries.decide({ fault: fault(), method: 'GET' });
  expect(decide()).toEqual({ retry: true, delay: 100, freshConnection: false, why: 'idempotent-method' });
  Math.random.mockReturnValue(0);
  expect(decide()).toMatchObject({ retry: true, delay: 0 });
  Math.random.mockReturnValue(0.5);
  expect(decide()).toMatchObject({ retry: true, delay: 200 });
  expect(retries.attempt).toBe(4);
  expect(decide()).toEqual({ retry: false, gaveUp: 'attempts-exhausted' });
});

test('the clock is read when it is asked, so fake timers govern `within`', () => {
  const retries = begin(policyOf({ within: 1000 }));
  jest.advanceTimersByTime(900);
  expect(retries.decide({ fault: fault(), method: 'GET' })).toMatchObject({ delay: 100 });
  jest.advanceTimersByTime(1);
  expect(retries.decide({ fault: fault(), method: 'GET' })).toEqual({ retry: false, gaveUp: 'out-of-time' });
  expect(retries.outOfTime).toBe(false);
  jest.advanceTimersByTime(100);
  expect(retries.outOfTime).toBe(true);
});

test('a POST that may have arrived is not repeated, unless something promises that it may be', () => {
  const decide = (request, retry) => {
    const decision = begin(policyOf(retry)).decide({ fault: fault(), ...request });
    return decision.why ?? decision.gaveUp;
  };
  expect(decide({ method: 'POST' })).toBe('not-idempotent');
  expect(decide({ method: 'POST', idempotencyKey: true })).toBe('idempotency-key');
  expect(decide({ method: 'POST', declared: true })).toBe('declared');
  expect(decide({ method: 'POST', verdict: true })).toBe('should-retry');
  expect(decide({ method: 'POST' }, { methods: ['POST'] })).toBe('listed-method');
  expect(decide({ method: 'POST', fault: fault({ delivery: 'not-sent' }) })).toBe('not-sent');
  expect(decide({ method: 'POST', declared: true, bodyReplays: false })).toBe('body-not-replayable');
  expect(decide({ method: 'GET', declared: false })).toBe('not-idempotent');
  expect(decide({ method: 'GET', verdict: false })).toBe('not-transient');
});

test('statuses and Retry-After', () => {
  const unavailable = fault({ code: 'HTTP_503', kind: 'server', delivery: 'answered', status: 503, retryAfter: 7000 });
  const decide = (retry) => begin(policyOf(retry)).decide({ fault: unavailable, method: 'GET' });
  expect(decide()).toMatchObject({ delay: 7000 });
  expect(decide({ respectRetryAfter: false })).toMatchObject({ delay: 100 });
  expect(decide({ within: 5000 })).toEqual({ retry: false, gaveUp: 'retry-after-too-long' });
  expect(decide({ statuses: [429] })).toEqual({ retry: false, gaveUp: 'not-transient' });
});

test('a stale connection is replaced at once', () => {
  const retries = begin(new Policy());
  expect(retries.decide({ fault: fault(), method: 'GET', stale: true }))
    .toEqual({ retry: true, delay: 0, freshConnection: true, why: 'stale-connection' });
});

describe('budget', () => {
  const TWO = { budget: { ratio: 0, perSecond: 0.2 }, retries: 100 };
  const decide = (retries) => {
    const decision = retries.decide({ fault: fault(), method: 'GET' });
    return decision.why ?? decision.gaveUp;
  };

  test('is shared by the calls to an origin, also under other options', () => {
    const options = parseRetryOptions(TWO);
    const policy = new Policy(options);
    const other = policy.under(parseRetryOptions({ within: 50_000 }, 'retry', options));
    expect(decide(begin(policy))).toBe('idempotent-method');
    expect(decide(begin(other))).toBe('idempotent-method');
    expect(decide(begin(policy))).toBe('budget-exhausted');
    expect(decide(begin(policy, 'https://other.example:443'))).toBe('idempotent-method');
    expect(policy.under(options)).toBe(policy);
  });

  test('is refilled by time', () => {
    const policy = policyOf(TWO);
    const retries = begin(policy);
    expect([decide(retries), decide(retries), decide(retries)].at(-1)).toBe('budget-exhausted');
    jest.advanceTimersByTime(11_000);
    expect(decide(begin(policy))).toBe('idempotent-method');
  });

  test('grows by a share of the calls', () => {
    const policy = policyOf({ budget: { ratio: 0.5, perSecond: 0 } });
    expect(decide(begin(policy))).toBe('budget-exhausted');
    expect(decide(begin(policy))).toBe('idempotent-method');
  });
});

test('a fault that is an error with cycles is asked about like any other', () => {
  const error = Object.assign(new Error('reset'), fault());
  error.self = error;
  expect(begin(new Policy()).decide({ fault: error, method: 'GET' })).toMatchObject({ retry: true });
});

test('a replaced Math.random that misbehaves keeps the delay within its bounds', () => {
  for (const drawn of [1, 2, -1, NaN, Infinity]) {
    Math.random.mockReturnValue(drawn);
    const { delay } = begin(new Policy()).decide({ fault: fault(), method: 'GET' });
    expect(delay).toBeGreaterThanOrEqual(0);
    expect(delay).toBeLessThanOrEqual(100);
  }
});

describe('calls that are counted', () => {
  const stats = (policy) => policy.stats()[ORIGIN];

  test('are all told of, whenever it is asked', () => {
    const policy = policyOf();
    for (let call = 1; call <= 2_500; call += 1) {
      policy.count(ORIGIN);
      jest.advanceTimersByTime(1);
      if (call % 700 === 0) expect(stats(policy).calls).toBe(call);
    }
    expect(stats(policy).calls).toBe(2_500);
  });

  test('belong to their own second: the budget forgets them ten seconds later', () => {
    const policy = policyOf({ budget: { ratio: 1, perSecond: 0 } });
    for (let call = 0; call < 5; call += 1) policy.count(ORIGIN);
    expect(stats(policy).budget).toBe(5);
    jest.advanceTimersByTime(5_000);
    for (let call = 0; call < 3; call += 1) policy.count(ORIGIN);
    jest.advanceTimersByTime(6_000);
    policy.count(ORIGIN);
    expect(stats(policy).budget).toBe(4);
  });

  test('of many origins, and of policies made from one another, are one count', () => {
    const policy = policyOf();
    const other = policy.under(parseRetryOptions({ retries: 1 }));
    for (let call = 0; call < 1_500; call += 1) (call % 2 ? policy : other).count(`https://${call % 1_100}.example`);
    const counted = Object.values(policy.stats()).reduce((sum, { calls }) => sum + calls, 0);
    expect(counted).toBe(1_500);
    expect(other.stats()).toEqual(policy.stats());
  });
});

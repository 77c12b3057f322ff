'use strict';

const { Policy, parseRetryOptions } = require('../../lib/policy');

const ORIGIN = 'https://api.example:443';

const fault = (fields) => ({ code: 'ECONNRESET', kind: 'reset', phase: 'wait', delivery: 'unknown', transient: true, ...fields });

const policyOf = (retry) => new Policy(parseRetryOptions(retry));

beforeEach(() => {
  jest.useFakeTimers();
  jest.spyOn(Math, 'random').mockReturnValue(0.999_999);
});

afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});

test('the defaults: three retries with full jitter, then the reason', () => {
  const retries = new Policy().begin(ORIGIN);
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
  const retries = policyOf({ within: 1000 }).begin(ORIGIN);
  jest.advanceTimersByTime(900);
  expect(retries.elapsed).toBeCloseTo(900, 3);
  expect(retries.decide({ fault: fault(), method: 'GET' })).toMatchObject({ delay: 100 });
  jest.advanceTimersByTime(1);
  expect(retries.decide({ fault: fault(), method: 'GET' })).toEqual({ retry: false, gaveUp: 'out-of-time' });
  expect(retries.outOfTime).toBe(false);
  jest.advanceTimersByTime(100);
  expect(retries.outOfTime).toBe(true);
});

test('a POST that may have arrived is not repeated, unless something promises that it may be', () => {
  const decide = (request, retry) => {
    const decision = policyOf(retry).begin(ORIGIN).decide({ fault: fault(), ...request });
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
  const decide = (retry) => policyOf(retry).begin(ORIGIN).decide({ fault: unavailable, method: 'GET' });
  expect(decide()).toMatchObject({ delay: 7000 });
  expect(decide({ respectRetryAfter: false })).toMatchObject({ delay: 100 });
  expect(decide({ within: 5000 })).toEqual({ retry: false, gaveUp: 'retry-after-too-long' });
  expect(decide({ statuses: [429] })).toEqual({ retry: false, gaveUp: 'not-transient' });
});

test('a stale connection is replaced at once', () => {
  const retries = new Policy().begin(ORIGIN);
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
    const other = policy.withOptions(parseRetryOptions({ within: 50_000 }, 'retry', options));
    expect(decide(policy.begin(ORIGIN))).toBe('idempotent-method');
    expect(decide(other.begin(ORIGIN))).toBe('idempotent-method');
    expect(decide(policy.begin(ORIGIN))).toBe('budget-exhausted');
    expect(decide(policy.begin('https://other.example:443'))).toBe('idempotent-method');
    expect(policy.withOptions(options)).toBe(policy);
  });

  test('is refilled by time', () => {
    const policy = policyOf(TWO);
    const retries = policy.begin(ORIGIN);
    expect([decide(retries), decide(retries), decide(retries)].at(-1)).toBe('budget-exhausted');
    jest.advanceTimersByTime(11_000);
    expect(decide(policy.begin(ORIGIN))).toBe('idempotent-method');
  });

  test('grows by a share of the calls', () => {
    const policy = policyOf({ budget: { ratio: 0.5, perSecond: 0 } });
    expect(decide(policy.begin(ORIGIN))).toBe('budget-exhausted');
    expect(decide(policy.begin(ORIGIN))).toBe('idempotent-method');
  });

  test('is not drawn on by a call that progresses', () => {
    const retries = policyOf({ budget: { ratio: 0, perSecond: 0 }, retries: 1 }).begin(ORIGIN);
    for (let part = 0; part < 5; part += 1) {
      retries.progressed();
      expect(decide(retries)).toBe('idempotent-method');
    }
    expect(decide(retries)).toBe('attempts-exhausted');
  });

  test('is the new origin\'s after a redirect', () => {
    const policy = policyOf(TWO);
    const retries = policy.begin(ORIGIN);
    expect([decide(retries), decide(retries), decide(retries)].at(-1)).toBe('budget-exhausted');
    policy.move(retries, 'https://other.example:443');
    expect(decide(retries)).toBe('idempotent-method');
  });
});

test('a fault that is an error with cycles is asked about like any other', () => {
  const error = Object.assign(new Error('reset'), fault());
  error.self = error;
  expect(new Policy().begin(ORIGIN).decide({ fault: error, method: 'GET' })).toMatchObject({ retry: true });
});

test('a replaced Math.random that misbehaves keeps the delay within its bounds', () => {
  for (const drawn of [1, 2, -1, NaN, Infinity]) {
    Math.random.mockReturnValue(drawn);
    const { delay } = new Policy().begin(ORIGIN).decide({ fault: fault(), method: 'GET' });
    expect(delay).toBeGreaterThanOrEqual(0);
    expect(delay).toBeLessThanOrEqual(100);
  }
});

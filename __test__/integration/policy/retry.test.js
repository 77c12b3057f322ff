'use strict';

const http = require('node:http');
const net = require('node:net');
const { EventEmitter, getEventListeners, once } = require('node:events');

const { classify, createPolicy, retry } = require('../../..');
const { closeAll, fin, inTurn, ok, refusedPort, reply, rst, startOrigin } = require('../../../testing');
const { caught, codesOf } = require('../../support/fetch-outcomes');

/** Waits too short to notice. */
const QUICK = { backoff: { base: 1, cap: 2 } };

afterEach(closeAll);

/** The status, as a program without any client would get it. */
function get(url) {
  return new Promise((resolve, reject) => {
    http.get(url, { agent: false }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode)).on('error', reject);
    }).on('error', reject);
  });
}

/** The fault of a reset, for tests of what does not depend on how it came about. */
const reset = () => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', errno: -104, syscall: 'read' });

describe('what is repeated', () => {
  test('a function that meets a RST and a FIN, until it is answered', async () => {
    const origin = await startOrigin(inTurn(rst, fin, ok));
    const seen = [];
    const status = await retry(({ attempt, lastFault }) => {
      seen.push([attempt, lastFault?.code, lastFault?.ending]);
      return get(origin.url);
    }, QUICK);
    expect(status).toBe(200);
    expect(seen).toEqual([[1, undefined, undefined], [2, 'ECONNRESET', 'rst'], [3, 'ECONNRESET', 'fin']]);
  });

  test('the result may be no promise, and a function that throws is as good as one that rejects', async () => {
    let calls = 0;
    const value = await retry(() => {
      calls += 1;
      if (calls === 1) throw reset();
      return 7;
    }, QUICK);
    expect({ value, calls }).toEqual({ value: 7, calls: 2 });
  });

  test('what is not transient is rethrown at once, the same object', async () => {
    const bug = new TypeError('x is not a function');
    const fn = jest.fn(() => Promise.reject(bug));
    expect(await caught(retry(fn))).toBe(bug);
    expect(fn).toHaveBeenCalledTimes(1);
    expect(bug.recovery).toMatchObject({ attempts: [{ delay: 0 }], gaveUp: 'not-transient' });
  });

  test('when the retries run out, the last error, with all that was tried', async () => {
    const port = await refusedPort();
    const fn = jest.fn(async () => {
      await once(net.connect(port, '127.0.0.1'), 'connect');
    });
    const error = await caught(retry(fn, { ...QUICK, retries: 2 }));
    expect(error).toMatchObject({ code: 'ECONNREFUSED', syscall: 'connect', recovery: { gaveUp: 'attempts-exhausted' } });
    expect(codesOf(error.recovery)).toEqual(['ECONNREFUSED', 'ECONNREFUSED', 'ECONNREFUSED']);
    expect(fn).toHaveBeenCalledTimes(3);
  });

  test('a primitive or a frozen error is what the caller gets', async () => {
    const frozen = Object.freeze(new Error('no'));
    expect(await caught(retry(() => Promise.reject(frozen)))).toBe(frozen);
    for (const thrown of ['a string', undefined]) {
      const fn = () => {
        throw thrown;
      };
      expect(await caught(retry(fn))).toBe(thrown);
    }
  });
});

describe('idempotent: false', () => {
  test('leaves what was certainly not sent', async () => {
    const port = await refusedPort();
    const refused = jest.fn(() => get(`http://127.0.0.1:${port}`));
    await caught(retry(refused, { ...QUICK, retries: 1, idempotent: false }));
    expect(refused).toHaveBeenCalledTimes(2);

    const origin = await startOrigin(rst);
    const error = await caught(retry(() => get(origin.url), { ...QUICK, idempotent: false }));
    expect(origin.requests).toHaveLength(1);
    expect(error.recovery.gaveUp).toBe('not-idempotent');
  });
});

describe('signal', () => {
  test('is handed on, and there without one', async () => {
    const controller = new AbortController();
    await retry(({ signal }) => expect(signal).toBe(controller.signal), { signal: controller.signal });
    await retry((context) => {
      expect(context.signal.aborted).toBe(false);
      expect(context.signal).toBe(context.signal);
    });
  });

  test('one that is aborted already: the function is not called', async () => {
    const reason = new Error('enough');
    const fn = jest.fn();
    expect(await caught(retry(fn, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(fn).not.toHaveBeenCalled();
  });

  test('ends the wait at once, with its reason', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const onRetry = jest.fn(() => controller.abort(reason));
    const options = { backoff: { base: 3_600_000, cap: 3_600_000 }, within: Infinity, onRetry, signal: controller.signal };
    expect(await caught(retry(() => Promise.reject(reset()), options))).toBe(reason);
    // It may be the reason of a thousand others.
    expect(Object.keys(reason)).toEqual([]);
  });

  test('ends an attempt that goes on', async () => {
    const controller = new AbortController();
    const running = new EventEmitter();
    const result = retry(() => {
      queueMicrotask(() => running.emit('begun'));
      return new Promise(() => {});
    }, { signal: controller.signal });
    await once(running, 'begun');
    controller.abort();
    expect(await caught(result)).toBe(controller.signal.reason);
  });

  test('serves thousands of calls with one listener, and with none when they are over', async () => {
    const { signal } = new AbortController();
    const warned = jest.fn();
    process.on('warning', warned);
    let failures = 1_000;
    await Promise.all(Array.from({ length: 1_000 }, () => retry(async () => {
      failures -= 1;
      if (failures >= 0) throw reset();
    }, { signal, ...QUICK, budget: false })));
    await new Promise(setImmediate);
    process.off('warning', warned);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect(warned).not.toHaveBeenCalled();
  });

  test('a function that aborts it itself', async () => {
    const controller = new AbortController();
    const result = retry(() => {
      controller.abort();
      return 7;
    }, { signal: controller.signal });
    expect(await caught(result)).toBe(controller.signal.reason);
  });
});

describe('time', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  test('fake timers govern the waits', async () => {
    jest.spyOn(Math, 'random').mockReturnValue(0.999_999);
    const fn = jest.fn().mockRejectedValueOnce(reset()).mockRejectedValueOnce(reset()).mockResolvedValue(7);
    const result = retry(fn, { backoff: { base: 60_000, cap: 600_000 }, within: Infinity });
    await jest.advanceTimersByTimeAsync(59_000);
    expect(fn).toHaveBeenCalledTimes(1);
    await jest.advanceTimersByTimeAsync(2_000);
    expect(fn).toHaveBeenCalledTimes(2);
    await jest.advanceTimersByTimeAsync(120_000);
    expect(await result).toBe(7);
    jest.restoreAllMocks();
  });

  test('no attempt begins after `within`, also where a hook took long', async () => {
    const onRetry = jest.fn(() => new Promise((resolve) => {
      setTimeout(resolve, 5_000);
    }));
    const fn = jest.fn(() => Promise.reject(reset()));
    const result = caught(retry(fn, { within: 3_000, onRetry }));
    await jest.advanceTimersByTimeAsync(6_000);
    expect((await result).recovery.gaveUp).toBe('out-of-time');
    expect(fn).toHaveBeenCalledTimes(1);
  });
});

describe('hooks', () => {
  test('are told and asked, without a method or URL, and what they throw is what the caller gets', async () => {
    const onRetry = jest.fn();
    const shouldRetry = jest.fn((fault) => (fault.code === 'UNKNOWN' ? true : undefined));
    const fn = jest.fn().mockRejectedValueOnce(new Error('odd')).mockResolvedValue(7);
    expect(await retry(fn, { ...QUICK, onRetry, shouldRetry })).toBe(7);
    expect(onRetry.mock.calls).toEqual([[{
      attempt: 1, delay: expect.any(Number), fault: expect.objectContaining({ code: 'UNKNOWN' }), method: undefined, url: undefined,
    }]]);
    expect(shouldRetry).toHaveBeenCalledWith(
      expect.objectContaining({ code: 'UNKNOWN' }), { attempt: 1, method: undefined, url: undefined, elapsed: expect.any(Number) },
    );
    const thrown = new Error('of the hook');
    expect(await caught(retry(() => Promise.reject(reset()), { onRetry: () => Promise.reject(thrown) }))).toBe(thrown);
    expect(await caught(retry(() => Promise.reject(reset()), { shouldRetry: () => 'yes' })))
      .toMatchObject({ name: 'TypeError', message: 'retry.shouldRetry must return true, false or undefined, not string' });
  });
});

describe('retry.wrap', () => {
  test('keeps `this` and the arguments', async () => {
    const service = {
      port: 5432,
      failures: 1,
      read: retry.wrap(async function read(...args) {
        if (this.failures > 0) {
          this.failures -= 1;
          throw reset();
        }
        return [this.port, ...args];
      }, QUICK),
    };
    expect(await service.read('a', 'b')).toEqual([5432, 'a', 'b']);
  });

  test('its calls share one budget', async () => {
    const fn = jest.fn(() => Promise.reject(reset()));
    const wrapped = retry.wrap(fn, { ...QUICK, retries: 10, budget: { ratio: 0, perSecond: 0.3 } });
    expect((await caught(wrapped())).recovery.gaveUp).toBe('budget-exhausted');
    expect(fn).toHaveBeenCalledTimes(4);
    expect((await caught(wrapped())).recovery.gaveUp).toBe('budget-exhausted');
    expect(fn).toHaveBeenCalledTimes(5);
  });
});

describe('options', () => {
  test('a policy, a number, false, and a policy under other options', async () => {
    const calls = async (options) => {
      const fn = jest.fn(() => Promise.reject(reset()));
      await caught(retry(fn, options));
      return fn.mock.calls.length;
    };
    const policy = createPolicy({ ...QUICK, retries: 4 });
    expect(await calls(policy)).toBe(5);
    expect(await calls(policy.with(1))).toBe(2);
    expect(await calls({ policy, retries: 2 })).toBe(3);
    expect(await calls(1)).toBe(2);
    expect(await calls(false)).toBe(1);
  });

  test('a policy in place of options, and one of another copy of the package, are refused by name', async () => {
    let foreign;
    jest.isolateModules(() => {
      foreign = require('../../..').createPolicy();
    });
    const ownOnly = /^options must be options of a policy; for one that shares the origins of another there is its with\(\)/;
    for (const policy of [createPolicy(), foreign]) {
      expect(() => createPolicy(policy)).toThrow(ownOnly);
      expect(() => createPolicy().with(policy)).toThrow(ownOnly);
    }
    const hereOnly = /by this copy of unreset\. Received RetryPolicy/;
    expect(() => retry.wrap(() => 7, foreign)).toThrow(hereOnly);
    expect(() => retry.wrap(() => 7, { policy: foreign })).toThrow(hereOnly);
    expect((await caught(retry(() => 7, foreign))).message).toMatch(hereOnly);
  });

  test('`origin` is what a policy counts by', async () => {
    const policy = createPolicy({ ...QUICK, retries: 10, budget: { ratio: 0, perSecond: 0.1 } });
    const attempts = async (origin) => {
      const error = await caught(retry(() => Promise.reject(reset()), { policy, origin }));
      return error.recovery.attempts.length;
    };
    expect(await attempts('redis')).toBe(2);
    expect(await attempts('redis')).toBe(1);
    expect(await attempts('postgres')).toBe(2);
  });

  test.each([
    ['fn', [7], 'fn must be a function. Received 7.'],
    ['signal', [() => {}, { signal: 'x' }], "options.signal must be an AbortSignal. Received 'x'."],
    ['idempotent', [() => {}, { idempotent: 1 }], 'options.idempotent must be true or false. Received 1.'],
    ['origin', [() => {}, { origin: 1 }], 'options.origin must be a string. Received 1.'],
    ['retries', [() => {}, { signal: null, retries: -1 }], 'options.retries must be a whole number from 0 to 4294967295, or Infinity. Received -1.'],
    ['policy', [() => {}, { policy: 'x' }], "options.policy must be false, a number of retries, or an object. Received 'x'."],
  ])('%s is checked', async (name, args, message) => {
    const error = await caught(retry(...args));
    expect(error.message).toBe(message);
    expect(() => retry.wrap(...args)).toThrow(message);
  });
});

test('a status is a result like any other: what fn resolves with is not judged', async () => {
  const origin = await startOrigin(reply(503));
  expect(await retry(() => get(origin.url), QUICK)).toBe(503);
  expect(origin.requests).toHaveLength(1);
});

test('what was thrown is classified as `classify` does', async () => {
  const origin = await startOrigin(rst);
  const error = await caught(retry(() => get(origin.url), { ...QUICK, retries: 0 }));
  const { reason, ...fault } = classify(error);
  expect(error.recovery.attempts).toEqual([{ fault: expect.objectContaining(fault), delay: 0 }]);
  expect(reason).toMatch(/ended the connection/);
});

'use strict';

const vm = require('node:vm');

const { NativePolicy } = require('../../lib/native');
const { parseRetryOptions } = require('../../lib/policy/options');
const { TOKEN_CHARACTERS } = require('../../lib/token');

const parsed = (value, ...rest) => JSON.parse(parseRetryOptions(value, ...rest).json);

function thrownBy(value, ...rest) {
  try {
    parseRetryOptions(value, ...rest);
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('what is accepted', () => {
  test('nothing is the native defaults', () => {
    expect(parsed(undefined)).toEqual({});
    expect(parsed({})).toEqual({});
    expect(parsed({ retries: undefined, onRetry: undefined })).toEqual({});
  });

  test('false is no retry, a number is that many', () => {
    expect(parsed(false)).toEqual({ retries: 0 });
    expect(parsed(0)).toEqual({ retries: 0 });
    expect(parsed(5)).toEqual({ retries: 5 });
  });

  test('every option, and the native policy takes it', () => {
    const retry = {
      retries: 7,
      backoff: { base: 12.5, cap: 3000 },
      within: 45_000,
      methods: ['POST', 'M-SEARCH'],
      statuses: [418, 503],
      respectRetryAfter: false,
      budget: { ratio: 0.5, perSecond: 2 },
    };
    expect(parsed(retry)).toEqual(retry);
    expect(() => new NativePolicy(JSON.stringify(retry), 0)).not.toThrow();
  });

  test('no budget', () => {
    expect(parsed({ budget: false })).toEqual({ budget: false });
  });

  test('Infinity becomes the most that can be counted, which the native policy takes', () => {
    const { json } = parseRetryOptions({ retries: Infinity, within: Infinity });
    expect(JSON.parse(json)).toEqual({ retries: 2 ** 32 - 1, within: 2 ** 31 - 1 });
    expect(() => new NativePolicy(json, 0)).not.toThrow();
    expect(parsed(Infinity)).toEqual({ retries: 2 ** 32 - 1 });
  });

  test('hooks are returned beside the JSON', () => {
    const onRetry = () => {};
    const shouldRetry = async () => true;
    expect(parseRetryOptions({ onRetry, shouldRetry })).toMatchObject({ json: '{}', onRetry, shouldRetry });
  });

  test('objects and arrays of another realm', () => {
    const retry = vm.runInNewContext('({ retries: 1, statuses: [503], backoff: { base: 1 }, onRetry() {} })');
    expect(parsed(retry)).toEqual({ retries: 1, statuses: [503], backoff: { base: 1 } });
  });

  test('inherited options, and getters, which are read once', () => {
    let reads = 0;
    class Defaults {
      get retries() {
        reads += 1;
        return reads;
      }
    }
    expect(parsed(new Defaults())).toEqual({ retries: 1 });
    expect(parsed(Object.create({ within: 10 }))).toEqual({ within: 10 });
  });

  test('later changes to what was passed change nothing', () => {
    const retry = { statuses: [503], backoff: { base: 1 } };
    const result = parseRetryOptions(retry);
    retry.statuses.push(504);
    retry.backoff.base = 2;
    expect(parsed({}, 'retry', result)).toEqual({ statuses: [503], backoff: { base: 1 } });
  });
});

describe('layers', () => {
  const client = parseRetryOptions({
    retries: 5,
    backoff: { base: 50, cap: 500 },
    statuses: [503],
    budget: { ratio: 0.1 },
    onRetry: () => 'client',
    shouldRetry: () => false,
  });
  const layered = (value, under = client) => parsed(value, 'retry', under);

  test('nothing given is the client itself', () => {
    expect(parseRetryOptions(undefined, 'retry', client)).toBe(client);
  });

  test('what is given replaces, what is not remains', () => {
    expect(layered({ within: 100, statuses: [429] })).toEqual({
      retries: 5, backoff: { base: 50, cap: 500 }, within: 100, statuses: [429], budget: { ratio: 0.1 },
    });
  });

  test('backoff and budget are layered key by key', () => {
    expect(layered({ backoff: { cap: 900 }, budget: { perSecond: 1 } })).toMatchObject({
      backoff: { base: 50, cap: 900 }, budget: { ratio: 0.1, perSecond: 1 },
    });
  });

  test('no budget, and a budget where the client has none', () => {
    expect(layered({ budget: false }).budget).toBe(false);
    const without = parseRetryOptions({ budget: false });
    expect(layered({ budget: { ratio: 1 } }, without).budget).toEqual({ ratio: 1 });
  });

  test('the short forms set the number of retries only', () => {
    expect(layered(false)).toEqual({ ...JSON.parse(client.json), retries: 0 });
    expect(layered(9)).toEqual({ ...JSON.parse(client.json), retries: 9 });
  });

  test('hooks replace hooks one by one', () => {
    const onRetry = () => 'call';
    const call = parseRetryOptions({ onRetry }, 'retry', client);
    expect(call.onRetry).toBe(onRetry);
    expect(call.shouldRetry).toBe(client.shouldRetry);
  });

  test('a base above the cap of the layer below is refused', () => {
    expect(thrownBy({ backoff: { base: 501 } }, 'retry', client).message)
      .toBe('retry.backoff.base must be at most retry.backoff.cap (500). Received 501.');
    expect(layered({ backoff: { cap: 10 } }).backoff).toEqual({ base: 50, cap: 10 });
  });
});

describe('what is refused', () => {
  const TYPE = ['TypeError', 'ERR_INVALID_ARG_TYPE'];
  const RANGE = ['RangeError', 'ERR_OUT_OF_RANGE'];
  const VALUE = ['TypeError', 'ERR_INVALID_ARG_VALUE'];

  test.each([
    [true, TYPE, 'retry must be false, a number of retries, or an object. Received true.'],
    [null, TYPE, 'retry must be false, a number of retries, or an object. Received null.'],
    ['3', TYPE, "retry must be false, a number of retries, or an object. Received '3'."],
    [[], TYPE, 'retry must be false, a number of retries, or an object. Received [].'],
    [() => {}, TYPE, 'retry must be false, a number of retries, or an object. Received [Function (anonymous)].'],
    [-1, RANGE, 'retry must be a whole number from 0 to 4294967295, or Infinity. Received -1.'],
    [1.5, RANGE, 'retry must be a whole number from 0 to 4294967295, or Infinity. Received 1.5.'],
    [NaN, RANGE, 'retry must be a whole number from 0 to 4294967295, or Infinity. Received NaN.'],
    [{ retries: -1 }, RANGE,
      'retry.retries must be a whole number from 0 to 4294967295, or Infinity. Received -1.'],
    [{ retries: '3' }, TYPE,
      "retry.retries must be a whole number from 0 to 4294967295, or Infinity. Received '3'."],
    [{ retries: 3n }, TYPE, 'retry.retries must be a whole number from 0 to 4294967295, or Infinity. Received 3n.'],
    [{ retires: 3 }, VALUE, 'retry.retires is not an option. Accepted: retries, backoff, within, methods, statuses, ' +
      'respectRetryAfter, budget, breaker, onRetry, shouldRetry.'],
    [{ backoff: 100 }, TYPE, 'retry.backoff must be an object. Received 100.'],
    [{ backoff: { base: -5 } }, RANGE,
      'retry.backoff.base must be a number of milliseconds, from 0 to 2147483647. Received -5.'],
    [{ backoff: { cap: 2 ** 31 } }, RANGE,
      'retry.backoff.cap must be a number of milliseconds, from 0 to 2147483647. Received 2147483648.'],
    [{ backoff: { factor: 2 } }, VALUE, 'retry.backoff.factor is not an option. Accepted: base, cap.'],
    [{ backoff: { base: 50, cap: 10 } }, RANGE,
      'retry.backoff.base must be at most retry.backoff.cap (10). Received 50.'],
    [{ within: -1 }, RANGE,
      'retry.within must be a number of milliseconds, from 0 to 2147483647, or Infinity. Received -1.'],
    [{ within: '1s' }, TYPE,
      "retry.within must be a number of milliseconds, from 0 to 2147483647, or Infinity. Received '1s'."],
    [{ methods: 'GET' }, TYPE, "retry.methods must be an array of HTTP methods. Received 'GET'."],
    [{ methods: ['GET', 1] }, TYPE, 'retry.methods[1] must be an HTTP method. Received 1.'],
    [{ methods: ['GE T'] }, VALUE, `retry.methods[0] must be an HTTP method (${TOKEN_CHARACTERS}). Received 'GE T'.`],
    [{ statuses: 503 }, TYPE, 'retry.statuses must be an array of HTTP statuses. Received 503.'],
    [{ statuses: [99] }, RANGE, 'retry.statuses[0] must be a whole number from 100 to 999. Received 99.'],
    // eslint-disable-next-line no-sparse-arrays
    [{ statuses: [503, , 504] }, TYPE,
      'retry.statuses[1] must be a whole number from 100 to 999. Received undefined.'],
    [{ respectRetryAfter: 1 }, TYPE, 'retry.respectRetryAfter must be true or false. Received 1.'],
    [{ budget: true }, TYPE, 'retry.budget must be false or an object. Received true.'],
    [{ budget: { ratio: -0.1 } }, RANGE, 'retry.budget.ratio must be a number of at least 0. Received -0.1.'],
    [{ budget: { perSecond: Infinity } }, RANGE,
      'retry.budget.perSecond must be a number of at least 0. Received Infinity.'],
    [{ budget: { percent: 20 } }, VALUE, 'retry.budget.percent is not an option. Accepted: ratio, perSecond.'],
    [{ onRetry: 'log' }, TYPE, "retry.onRetry must be a function. Received 'log'."],
    [{ shouldRetry: true }, TYPE, 'retry.shouldRetry must be a function. Received true.'],
    [{ breaker: 1 }, TYPE, 'retry.breaker must be true, false or an object. Received 1.'],
    [{ breaker: { rate: 1 } }, VALUE,
      'retry.breaker.rate is not an option. Accepted: window, minCalls, failureRate, openFor, probes.'],
    [{ breaker: { failureRate: 0 } }, RANGE, 'retry.breaker.failureRate must be a number above 0, up to 1. Received 0.'],
    [{ breaker: { failureRate: 1.1 } }, RANGE, 'retry.breaker.failureRate must be a number from 0 to 1. Received 1.1.'],
    [{ breaker: { probes: 0 } }, RANGE, 'retry.breaker.probes must be a whole number from 1 to 4294967295. Received 0.'],
    [{ breaker: { minCalls: 1.5 } }, RANGE, 'retry.breaker.minCalls must be a whole number from 1 to 4294967295. Received 1.5.'],
    [{ breaker: { openFor: 0 } }, RANGE,
      'retry.breaker.openFor must be a number of milliseconds, from 1 to 2147483647. Received 0.'],
    [{ breaker: { window: '10s' } }, TYPE,
      "retry.breaker.window must be a number of milliseconds, from 1 to 2147483647. Received '10s'."],
  ])('%p', (value, [name, code], message) => {
    const error = thrownBy(value);
    expect({ name: error.name, code: error.code, message: error.message }).toEqual({ name, code, message });
  });

  test('under the name that the caller knows', () => {
    expect(thrownBy({ backoff: { base: -1 } }, 'reconnect').message).toMatch(/^reconnect\.backoff\.base must be /);
    expect(thrownBy({ tries: 1 }, 'reconnect').message).toMatch(/^reconnect\.tries is not an option/);
  });

  test('in one short line, whatever came', () => {
    const { message } = thrownBy({ methods: { long: 'x'.repeat(1000), deep: { deeper: {} } } });
    expect(message.length).toBeLessThan(200);
    expect(message).not.toContain('\n');
  });
});

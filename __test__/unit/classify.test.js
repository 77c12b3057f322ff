'use strict';

/** `classify` takes anything: what no rule knows is unknown, and nothing makes it throw or hang. */

const vm = require('node:vm');

const { classify, isReset, isTransient } = require('../../lib/fault');
const { CallFailure, toThrow } = require('../../lib/errors');

const RESET = { code: 'ECONNRESET', kind: 'reset' };
const UNKNOWN = { kind: 'unknown', phase: 'wait', delivery: 'unknown', transient: false, reconnect: false };

function reset() {
  return Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', errno: -104, syscall: 'read' });
}

function throwing() {
  throw new Error('not to be touched');
}

/** Every trap that can throw does. */
function hostileProxy(target) {
  const traps = Object.getOwnPropertyNames(Reflect);
  return new Proxy(target, Object.fromEntries(traps.map((trap) => [trap, throwing])));
}

function revokedProxy(target) {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

describe('values that tell nothing', () => {
  test.each([
    ['undefined', undefined],
    ['null', null],
    ['a boolean', true],
    ['a number', 503],
    ['NaN', NaN],
    ['a bigint', 10n],
    ['a symbol', Symbol('ECONNRESET')],
    ['a string', 'read ECONNRESET'],
    ['an empty string', ''],
    ['a function', throwing],
    ['a class', class ECONNRESET extends Error {}],
    ['an empty object', {}],
    ['an object without a prototype', Object.create(null)],
    ['an array', [1, 2, 3]],
    ['a plain error', new Error('ECONNRESET')],
    ['an error of a bug', new TypeError("Cannot read properties of undefined (reading 'ECONNRESET')")],
    ['a throwing getter', Object.defineProperty({}, 'code', { get: throwing })],
    ['a hostile proxy', hostileProxy({})],
    ['a hostile proxy of an error', hostileProxy(new Error('x'))],
    ['a hostile proxy of a function', hostileProxy(throwing)],
    ['a revoked proxy', revokedProxy({})],
    ['a revoked proxy of an array', revokedProxy([])],
    ['fields of the wrong type', { code: 5, name: {}, message: [], errno: 'x', port: -1, status: '503', cause: 7 }],
    ['half a surrogate pair', { message: '\ud800', code: '\udc00' }],
    ['a code that is none', { code: 'not a code' }],
  ])('%s', (_, value) => {
    expect(classify(value)).toMatchObject({ ...UNKNOWN, code: 'UNKNOWN' });
    expect(isTransient(value)).toBe(false);
    expect(isReset(value)).toBe(false);
  });
});

describe('a reset is found', () => {
  const cyclic = new Error('outer', { cause: reset() });
  cyclic.cause.cause = cyclic;
  const own = new Error('outer');
  own.cause = own;

  test.each([
    ['as it is', reset()],
    ['frozen', Object.freeze(reset())],
    ['without a prototype', Object.assign(Object.create(null), { code: 'ECONNRESET' })],
    ['as a plain object, as it comes from another thread', { ...reset() }],
    ['as a code in a string', 'ECONNRESET'],
    ['from another realm', vm.runInNewContext("Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })")],
    ['in a cause of another realm', vm.runInNewContext('(cause) => new TypeError("fetch failed", { cause })')(reset())],
    ['in a cyclic chain', cyclic],
    ['in an AggregateError', new AggregateError([reset(), reset()])],
    ['in an AggregateError of another realm', vm.runInNewContext('(errors) => new AggregateError(errors)')([reset()])],
    ['behind a getter', Object.defineProperty(new Error('x'), 'cause', { get: reset })],
    ['behind a proxy', new Proxy(reset(), {})],
    ['beside a hostile cause', Object.assign(reset(), { cause: hostileProxy({}) })],
    ['in an ErrorEvent', { type: 'error', error: reset() }],
    ['below a bug', new TypeError('x is not a function', { cause: reset() })],
  ])('%s', (_, value) => {
    expect(classify(value)).toMatchObject(RESET);
    expect(isReset(value)).toBe(true);
    expect(isTransient(value)).toBe(true);
  });

  test('an error that is its own cause ends', () => {
    expect(classify(own)).toMatchObject(UNKNOWN);
  });
});

describe('bounds', () => {
  const nested = (depth, innermost) => {
    let error = innermost;
    for (let level = 0; level < depth; level += 1) error = new Error(`level ${level}`, { cause: error });
    return error;
  };

  test('a chain is followed to a depth that nobody builds on purpose', () => {
    expect(classify(nested(31, reset()))).toMatchObject(RESET);
    expect(classify(nested(32, reset()))).toMatchObject(UNKNOWN);
    expect(classify(nested(100_000, reset()))).toMatchObject(UNKNOWN);
  });

  test('a chain that grows while it is read ends', () => {
    const endless = () => Object.defineProperty(new Error('again'), 'cause', { get: endless });
    expect(classify(endless())).toMatchObject(UNKNOWN);
  });

  test('an AggregateError of very many errors is read in part', () => {
    const many = Array.from({ length: 1_000_000 }, () => 'noise');
    expect(classify(new AggregateError([reset(), ...many]))).toMatchObject(RESET);
  });

  test('an array whose length lies is read in part', () => {
    const errors = new Proxy([reset()], { get: (target, key) => (key === 'length' ? 2 ** 53 : target[key]) });
    expect(classify({ errors })).toMatchObject(RESET);
  });

  test('long texts are cut', () => {
    const { detail } = classify(new Error('x'.repeat(10_000_000)));
    expect(detail).toBe('x'.repeat(1024));
  });

  test('a text that is cut in the middle of a character stays readable', () => {
    const { detail } = classify(new Error(`${'x'.repeat(1023)}\u{1f600}`));
    expect(detail).toBe(`${'x'.repeat(1023)}\ufffd`);
  });
});

describe('what is returned', () => {
  test('is a frozen plain object that says what is known and nothing else', () => {
    const fault = classify(reset());
    expect(Object.isFrozen(fault)).toBe(true);
    expect(fault).toStrictEqual({
      code: 'ECONNRESET',
      kind: 'reset',
      phase: 'wait',
      delivery: 'unknown',
      transient: true,
      reconnect: true,
      reason: 'The peer ended the connection before it answered.',
      ending: 'rst',
      errno: -104,
      syscall: 'read',
      detail: 'read ECONNRESET',
    });
  });

  test('stays the same when it is classified again', () => {
    const fault = classify({ status: 503, headers: { 'retry-after': '3' } });
    expect(fault).toMatchObject({ code: 'HTTP_503', kind: 'throttled', retryAfter: 3000 });
    expect(classify(fault)).toStrictEqual(fault);
  });

  test('is the fault that an error of our own fetch carries', () => {
    const fault = classify(reset(), { phase: 'receive', delivery: 'answered' });
    const error = toThrow(new CallFailure('terminated', { attempts: [] }, { fault }), toThrow);
    expect(classify(error)).toStrictEqual(fault);
    expect(classify(error.cause)).toStrictEqual(fault);
  });

  test('does not change what was thrown', () => {
    const error = reset();
    const before = Object.getOwnPropertyDescriptors(error);
    classify(error);
    expect(Object.getOwnPropertyDescriptors(error)).toStrictEqual(before);
  });
});

describe('responses', () => {
  const date = () => new Date(Date.now() + 90_000).toUTCString();

  test.each([
    ['of fetch', () => new Response(null, { status: 503, headers: { 'retry-after': date() } })],
    ['with plain headers', () => ({ statusCode: 503, headers: { 'retry-after': date() } })],
    ['on an error', () => Object.assign(new Error('failed'), { response: new Response('', { status: 503, headers: { 'retry-after': date() } }) })],
  ])('%s: a date in Retry-After counts from now', (_, make) => {
    const { code, retryAfter } = classify(make());
    expect(code).toBe('HTTP_503');
    // A date has whole seconds.
    expect(retryAfter).toBeGreaterThan(80_000);
    expect(retryAfter).toBeLessThanOrEqual(90_000);
  });

  test('a date that has passed is zero', () => {
    const headers = { 'retry-after': 'Sun, 06 Nov 1994 08:49:37 GMT' };
    expect(classify({ status: 429, headers }).retryAfter).toBe(0);
  });

  test('one that did not fail is no failure', () => {
    expect(classify(new Response('fine'))).toMatchObject({ code: 'HTTP_200', kind: 'unknown', transient: false });
  });

  test('the error of a fetch that has none is unknown', () => {
    expect(classify(Response.error())).toMatchObject(UNKNOWN);
  });
});

describe('clients that are not installed here, by the shape of their errors', () => {
  test('ky: the status of its HTTPError, and its TimeoutError', () => {
    const httpError = Object.assign(new Error('Request failed with status code 502'), {
      name: 'HTTPError', response: new Response('', { status: 502 }), request: {}, options: {},
    });
    expect(classify(httpError)).toMatchObject({ code: 'HTTP_502', kind: 'server', transient: true });
    const timeout = Object.assign(new Error('Request timed out: GET http://a/'), { name: 'TimeoutError', request: {} });
    expect(classify(timeout)).toMatchObject({ code: 'ETIMEDOUT', kind: 'timeout' });
  });

  test('superagent: its status, and its timeout', () => {
    const failed = Object.assign(new Error('Not Found'), { status: 404, response: { status: 404, headers: {} } });
    expect(classify(failed)).toMatchObject({ code: 'HTTP_404', kind: 'client' });
    const timeout = Object.assign(new Error('Timeout of 80ms exceeded'), { timeout: 80, code: 'ECONNABORTED', errno: 'ETIME' });
    expect(classify(timeout)).toMatchObject({ code: 'ETIMEDOUT', kind: 'timeout' });
  });
});

test('a message that quotes a URL is told without its credentials', () => {
  const message = 'request to https://user:p@ss@inventory:8443/a@b failed, nor http://other/?mail=x@y';
  for (const thrown of [new Error(message), message]) {
    expect(classify(thrown).detail).toBe('request to https://inventory:8443/a@b failed, nor http://other/?mail=x@y');
  }
});

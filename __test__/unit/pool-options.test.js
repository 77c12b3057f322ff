'use strict';

const { createFetch } = require('../..');
const { parseClientOptions } = require('../../lib/fetch/options');

const noop = () => {};

function thrown(options) {
  try {
    createFetch(options);
  } catch (error) {
    return error;
  }
  throw new Error('the options were expected to be refused');
}

describe('what is wrong is refused, and the message says what is accepted', () => {
  test.each([
    ['connections: 0', { connections: 0 }, 'RangeError', /^connections must be a whole number from 1 to 4294967295\. Received 0\.$/],
    ['connections: -1', { connections: -1 }, 'RangeError', /^connections/],
    ['connections: NaN', { connections: NaN }, 'RangeError', /^connections/],
    ['half a connection', { connections: 1.5 }, 'RangeError', /^connections/],
    ['connections: true', { connections: true }, 'TypeError', /^connections must be a number of connections, or false for no limit/],
    ['connections: null', { connections: null }, 'TypeError', /^connections/],
    ["connections: '10'", { connections: '10' }, 'TypeError', /^connections/],

    ['keepAlive: 4000', { keepAlive: 4000 }, 'TypeError', /^keepAlive must be true, false or an object\. Received 4000\.$/],
    ['keepAlive: null', { keepAlive: null }, 'TypeError', /^keepAlive/],
    ['http2: null', { http2: null }, 'TypeError', /^http2 must be true or false/],
    ["http2: 'only'", { http2: 'only' }, 'TypeError', /^http2 must be true or false.*'only'\.$/],
    ['an unknown key in keepAlive', { keepAlive: { keepAliveTimeout: 1 } }, 'TypeError', /^keepAlive\.keepAliveTimeout is not an option.*timeout, maxTimeout, guardedTimeout/],
    ...['timeout', 'maxTimeout', 'guardedTimeout'].flatMap((key) => [
      [`keepAlive.${key}: -1`, { keepAlive: { [key]: -1 } }, 'RangeError', new RegExp(`^keepAlive\\.${key} must be a number of milliseconds`)],
      [`keepAlive.${key}: NaN`, { keepAlive: { [key]: NaN } }, 'RangeError', new RegExp(`^keepAlive\\.${key}`)],
      [`keepAlive.${key}: '1s'`, { keepAlive: { [key]: '1s' } }, 'TypeError', new RegExp(`^keepAlive\\.${key}`)],
      [`keepAlive.${key}: false`, { keepAlive: { [key]: false } }, 'TypeError', new RegExp(`^keepAlive\\.${key}`)],
      [`keepAlive.${key} beyond any timer`, { keepAlive: { [key]: 2 ** 31 } }, 'RangeError', new RegExp(`^keepAlive\\.${key}`)],
    ]),
    ['keepAlive.timeout: 0', { keepAlive: { timeout: 0 } }, 'RangeError', /^keepAlive\.timeout.*from 1 to/],
    ['keepAlive.maxTimeout: 0', { keepAlive: { maxTimeout: 0 } }, 'RangeError', /^keepAlive\.maxTimeout.*from 1 to/],
    ['a guardedTimeout above its timeout', { keepAlive: { timeout: 5, guardedTimeout: 6 } }, 'RangeError', /^keepAlive\.guardedTimeout must be at most keepAlive\.timeout \(5\)\. Received 6\.$/],

    ['socketPath: an URL', { socketPath: new URL('file:///run/a.sock') }, 'TypeError', /^socketPath must be the path of a Unix socket/],
    ['socketPath: null', { socketPath: null }, 'TypeError', /^socketPath/],
    ['an empty socketPath', { socketPath: '' }, 'TypeError', /^socketPath must be the path of a Unix socket\. Received ''\.$/],
    ['a socketPath with NUL', { socketPath: '/run/a\0b' }, 'TypeError', /^socketPath/],
    ['a socketPath that is too long', { socketPath: `/${'é'.repeat(60)}` }, 'TypeError', /^socketPath must be a path of at most 10[37] bytes/],

    ['lookup that is no function', { lookup: '127.0.0.1' }, 'TypeError', /^lookup must be a function\. Received '127\.0\.0\.1'\.$/],
    ['lookup: null', { lookup: null }, 'TypeError', /^lookup/],
    ['lookup and socketPath', { lookup: noop, socketPath: '/run/a.sock' }, 'TypeError', /^lookup must be left out with socketPath/],
  ])('%s', (name, options, kind, message) => {
    const error = thrown(options);
    expect(error.name).toBe(kind);
    expect(error.message).toMatch(message);
    expect(error.code).toMatch(/^ERR_(INVALID_ARG_(TYPE|VALUE)|OUT_OF_RANGE)$/);
  });

  test('socketPath on Windows', () => {
    const { platform } = process;
    Object.defineProperty(process, 'platform', { value: 'win32' });
    try {
      expect(thrown({ socketPath: '\\\\.\\pipe\\docker_engine' }).message).toMatch(/^socketPath must be left out on Windows: named pipes are not supported/);
    } finally {
      Object.defineProperty(process, 'platform', { value: platform });
    }
  });
});

describe('what native code is told', () => {
  const told = (options) => JSON.parse(parseClientOptions(options).json).pool;

  test.each([
    ['nothing that was not given', {}, {}],
    ['nothing of what is undefined', { connections: undefined, keepAlive: { timeout: undefined }, socketPath: undefined, lookup: undefined }, { keepAlive: {} }],
    ['a number of connections', { connections: 7 }, { connections: 7 }],
    ['no limit', { connections: false }, {}],
    ['no limit, written otherwise', { connections: Infinity }, {}],
    ['keepAlive: false', { keepAlive: false }, { keepAlive: false }],
    ['keepAlive: true', { keepAlive: true }, { keepAlive: true }],
    ['times', { keepAlive: { timeout: 1, maxTimeout: 2.5, guardedTimeout: 0 } }, { keepAlive: { timeout: 1, maxTimeout: 2.5, guardedTimeout: 0 } }],
    ['the longest time for Infinity', { keepAlive: { timeout: Infinity } }, { keepAlive: { timeout: 2 ** 31 - 1 } }],
    ['a path as it is written', { socketPath: './a b.sock' }, { socketPath: './a b.sock' }],
  ])('%s', (name, options, expected) => {
    expect(told(options)).toEqual(expected);
  });
});

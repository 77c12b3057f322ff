'use strict';

const { parseProtocols, parseUrl } = require('../../../lib/websocket/address');

function thrown(call) {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('It did not throw.');
}

test.each([
  ['ws://a.test', 'ws://a.test/'],
  ['wss://a.test:443/b?c=d', 'wss://a.test/b?c=d'],
  ['http://a.test/b', 'ws://a.test/b'],
  ['https://a.test/b', 'wss://a.test/b'],
  [new URL('ws://[::1]:80/'), 'ws://[::1]/'],
])('%s is %s', (given, url) => {
  expect(parseUrl(given)).toBe(url);
});

test.each(['', '/relative', 'ws:', 'ftp://a.test', 'ws+unix:///tmp/x', 'ws://a.test/#', 'ws://a.test/#x', 'ws://a b'])(
  '%j is no URL of a WebSocket',
  (given) => {
    const error = thrown(() => parseUrl(given));
    expect(error).toBeInstanceOf(DOMException);
    expect(error.name).toBe('SyntaxError');
  },
);

test('what is wrong with a URL is said without its credentials', () => {
  expect(thrown(() => parseUrl('ws://user:secret@a b')).message).not.toContain('secret');
});

test('subprotocols: one, several, none', () => {
  expect(parseProtocols(undefined)).toEqual([]);
  expect(parseProtocols([])).toEqual([]);
  expect(parseProtocols('a')).toEqual(['a']);
  expect(parseProtocols(new Set(['a', 'B']))).toEqual(['a', 'B']);
});

test.each([[''], ['a b'], ['a,b'], [['a', 'a']], [['a', '']], ['é']])('%j are no subprotocols', (given) => {
  const error = thrown(() => parseProtocols(given));
  expect([error instanceof DOMException, error.name]).toEqual([true, 'SyntaxError']);
});

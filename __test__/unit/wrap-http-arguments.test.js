'use strict';

const { urlToHttpOptions } = require('node:url');
const { parseArguments } = require('../../lib/wrap/http/arguments');

const URLS = [
  'http://api.example', 'http://api.example/a/b?c=d#e', 'https://api.example:8443/?q', 'http://[::1]:8080/a', 'https://api.example:443/',
  'http://user:p%40ss@api.example/', 'http://user@api.example/', 'http://:pass@api.example/', 'http://ümlaut.example/ä?ö',
];

test.each(URLS)('the options of %s are those of Node', (url) => {
  const { options } = parseArguments(url);
  expect(options).toStrictEqual({ ...urlToHttpOptions(new URL(url)) });
  expect(parseArguments(new URL(url)).options).toStrictEqual(options);
});

test('a URL that somebody has put a property on passes it on', () => {
  const url = Object.assign(new URL(URLS[0]), { family: 6 });
  expect(parseArguments(url).options).toMatchObject({ hostname: 'api.example', family: 6 });
});

test('options come before what the URL says, and stay the caller\'s own', () => {
  const given = Object.freeze({ path: '/other', method: 'PUT' });
  const { options } = parseArguments(URLS[1], given);
  expect(options).toMatchObject({ hostname: 'api.example', path: '/other', method: 'PUT' });
  const callback = () => {};
  expect(parseArguments(URLS[0], callback).callback).toBe(callback);
  expect(parseArguments(given, callback)).toStrictEqual({ options: { ...given }, callback });
});

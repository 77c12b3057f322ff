'use strict';

const { originOf } = require('../../lib/wrap/origin');

const asUrlSays = (url) => (URL.canParse(url) ? new URL(url).origin : '');

test.each([
  'http://api.example/a', 'https://api.example', 'https://api.example:443/a?b#c', 'http://api.example:8080?q', 'HTTP://API.example/a',
  'http://user:password@api.example/a', 'http://api.example#@b', 'http:///api.example/a', 'http:api.example/a', 'http:\\\\api.example\\a',
  'http://api.example\\@b/a', 'http://[::1]:80/a', 'http://ap i/', ' http://api.example/a', 'http://a\tpi.example/', 'http://', 'https://?a',
  'http://api.example:99999/', 'ftps://api.example/a', 'ws://api.example/a', 'data:,x://y', '/relative', '', 'http://ümlaut.example/a',
])('%s', (url) => {
  expect(originOf(url)).toBe(asUrlSays(url));
  // From what it remembers, too.
  expect(originOf(url)).toBe(asUrlSays(url));
});

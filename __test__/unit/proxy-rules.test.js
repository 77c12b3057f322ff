'use strict';

/**
 * Which URL goes through a proxy: the rule in Rust against undici's own class, which Node's fetch takes it from. Both are
 * only asked; nothing is connected to.
 */

const EnvHttpProxyAgent = require('undici/lib/dispatcher/env-http-proxy-agent');
const { kHttpProxyAgent, kHttpsProxyAgent, kNoProxyAgent } = require('undici/lib/core/symbols');

const native = require('../../lib/native');

const HTTP = 'http://http.proxy.test:80';
const HTTPS = 'http://https.proxy.test:80';

/** undici's class, with its three agents replaced by ones that only say which they are. */
function undici(noProxy) {
  const agent = new EnvHttpProxyAgent({ httpProxy: HTTP, httpsProxy: HTTPS, noProxy });
  let way;
  for (const [symbol, name] of [[kNoProxyAgent, null], [kHttpProxyAgent, HTTP], [kHttpsProxyAgent, HTTPS]]) {
    agent[symbol] = {
      dispatch() {
        way = name;
        return true;
      },
    };
  }
  return (url) => {
    way = undefined;
    agent.dispatch({ origin: new URL(url).origin, path: '/', method: 'GET' }, {});
    return way;
  };
}

function ours(noProxy) {
  const proxies = JSON.stringify({ http: { url: HTTP, headers: [] }, https: { url: HTTPS, headers: [] }, noProxy });
  return (url) => native.proxyFor(proxies, url);
}

const URLS = [
  'http://a.test/', 'https://a.test/', 'http://a.test:8080/', 'https://a.test:80/', 'http://a.test:443/', 'http://a.test./',
  'http://b.a.test/', 'https://c.b.a.test:8443/', 'http://xa.test/', 'http://test/', 'http://a.test.evil/',
  'http://localhost/', 'http://sub.localhost:3000/', 'http://127.0.0.1/', 'https://127.0.0.1:8080/', 'http://10.0.0.1/',
  'http://[::1]/', 'http://[::1]:8080/', 'https://[2001:db8::1]/', 'http://m\u00fcnchen.test/', 'http://a.test:0/',
];

const LISTS = [
  '', '*', ' * ', '*,a.test', 'none.invalid,*', '*:80', '*:443', '*:0', '*.', '*.*', '*a.test', '**',
  'a.test', '.a.test', '*.a.test', 'A.TEST', 'a.test.', '.a.test.', '*.a.test.', '..a.test', 'a.test,b.a.test', 'test', '.', '..',
  'a.test:80', 'a.test:443', 'a.test:8080', 'a.test:0', 'a.test:080', 'a.test:', ':80', 'a.test:80x', 'a.test:99999999999999999999',
  '.a.test:80', '*.a.test:8443', 'b.a.test c.test', 'x.test\ta.test\nlocalhost', ' ,, a.test ,,', 'http://a.test',
  'a.test\u00a0x.test', 'a.test\u0085x.test', 'a.test\ufeffx.test', 'm\u00fcnchen.test', 'xn--mnchen-3ya.test',
  'localhost', '.localhost', 'localhost:3000', '127.0.0.1', '127.0.0.1:8080', '127.0.0', '.0.0.1', '10.0.0.0/8', '127.*',
  '::1', '[::1]', '[::1]:80', '[::1]:8080', '::1:80', '[2001:DB8::1]', '2001:db8::1', '[::1', '::1]', '[]', '[]:80', '[[::1]]', '[a.test]',
  '[a.test]:80', '[x]:1]:80', '*.[::1]', '[*]', '[*]:80', '[.a.test]',
];

test.each(LISTS.map((list) => [JSON.stringify(list), list]))('NO_PROXY=%s', (_, list) => {
  const [theirWay, ourWay] = [undici(list), ours(list)];
  expect(Object.fromEntries(URLS.map((url) => [url, ourWay(url)]))).toEqual(
    Object.fromEntries(URLS.map((url) => [url, theirWay(url)])),
  );
});

test('lists that nobody thought of', () => {
  const PARTS = ['a', 'test', 'b.', '.', '..', '*', '*.', ':', '80', ':80', ':443', ':8080', '[', ']', '::1', '1', ' ', ',', 'A', '\u00e9'];
  // A fixed sequence (Park-Miller), so that what fails once fails again.
  let state = 42;
  const below = (bound) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % bound;
  };
  const differing = [];
  let direct = 0;
  for (let round = 0; round < 3_000; round += 1) {
    const list = Array.from({ length: 1 + below(6) }, () => PARTS[below(PARTS.length)]).join('');
    const url = URLS[below(URLS.length)];
    const [theirs, our] = [undici(list)(url), ours(list)(url)];
    if (theirs !== our) differing.push({ list, url, theirs, our });
    if (theirs === null) direct += 1;
  }
  expect(differing).toEqual([]);
  // Neither answer is rare, or agreeing would prove little.
  expect(direct).toBeGreaterThan(100);
});

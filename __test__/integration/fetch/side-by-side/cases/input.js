'use strict';

/** What `fetch` is given: URLs in every form, and Request objects. */

const undici = require('undici-7');

const { whole } = require('../run');

/** A URL, made of the server's. */
const url = (name, make, more) => ({ name, run: async (fetch, at) => whole(await fetch(make(at.url))), ...more });
const LENGTH = 'The stream of a Request that is at hand goes out with its length';

/** Any call. */
const call = (name, run, more) => ({ name, run: async (fetch, at) => whole(await run(fetch, at)), ...more });

const UNDICI = Number(process.versions.undici.split('.')[0]);
/** The URL standard does so since 2024, and the URL of Node from some version on. */
const ESCAPES_CIRCUMFLEX = new URL('http://h/^').pathname === '/%5E';

const streamOf = (...chunks) => new ReadableStream({
  start(controller) {
    for (const chunk of chunks) controller.enqueue(Buffer.from(chunk));
    controller.close();
  },
});

module.exports = [
  url('a string', (origin) => `${origin}/`),
  url('a URL', (origin) => new URL(`${origin}/a/../b?q#f`)),
  url('an object with a toString', (origin) => ({ toString: () => `${origin}/object` })),
  url('an array of one string', (origin) => [`${origin}/array`]),
  url('white space around', (origin) => ` \t\n${origin}/white\r\n `),
  url('line feeds and tabs inside', (origin) => `${origin}/a\nb\tc\r?d\ne`),
  url('a scheme in capitals', (origin) => origin.replace('http', 'HTTP')),
  url('one slash behind the scheme', (origin) => origin.replace('//', '/')),
  url('no slash behind the scheme', (origin) => origin.replace('//', '')),
  url('backslashes', (origin) => `${origin}\\a\\b`),
  url('dots in the path', (origin) => `${origin}/a/./b/%2e%2E/c/..`),
  url('spaces, quotes and brackets in the path', (origin) => `${origin}/a b"c<d>e\`f{g}h|i[k]`),
  url('a circumflex in the path', (origin) => `${origin}/^`, {
    differs: { as: 'A circumflex in a path is sent as it is', here: ESCAPES_CIRCUMFLEX, ours: { seen: [{ path: '/^' }] } },
  }),
  url('spaces, quotes and brackets in the query', (origin) => `${origin}/?a b"c<d>e\`f{g}h|i^j[k]'l`),
  url('characters outside of ASCII', (origin) => `${origin}/ü/€/😀?ü=€&😀`),
  url('a lone surrogate', (origin) => `${origin}/a\ud800b`),
  url('escapes, valid and not', (origin) => `${origin}/%41%zz%?%41%zz%`),
  url('an empty query', (origin) => `${origin}/?`, {
    differs: { as: 'An empty query is sent', here: UNDICI < 7, ours: { seen: [{ path: '/?' }] } },
  }),
  url('an empty fragment', (origin) => `${origin}/#`),
  url('a fragment', (origin) => `${origin}/path?q=1#frag ment?x`),
  url('a NUL', (origin) => `${origin}/a\0b`),
  url('an address in another form', (origin) => origin.replace('127.0.0.1', '0x7f.1')),
  url('a host in full-width digits', (origin) => origin.replace('127.0.0.1', '１２７.0.0.1')),
  url('credentials', (origin) => origin.replace('//', '//user:pass@')),
  url('a user name only', (origin) => origin.replace('//', '//user@')),
  url('a password only', (origin) => origin.replace('//', '//:pass@')),
  url('empty credentials', (origin) => origin.replace('//', '//@')),
  url('empty credentials with a colon', (origin) => origin.replace('//', '//:@')),
  url('a relative URL', () => '/path'),
  url('an empty string', () => ''),
  url('undefined', () => undefined),
  url('null', () => null),
  url('a number', () => 7),
  url('a symbol', () => Symbol('url')),
  url('an object whose toString throws', () => ({
    toString() {
      throw new RangeError('mine');
    },
  })),
  url('a port that is none', () => 'http://127.0.0.1:99999/'),
  url('a host that is none', () => 'http://exa mple/'),
  call('nothing', (fetch) => fetch()),
  call('an init that is null', (fetch, at) => fetch(at.url, null)),
  call('an init that is a function', (fetch, at) => fetch(at.url, Object.assign(() => {}, { method: 'PUT' }))),
  call('an init that is a number', (fetch, at) => fetch(at.url, 7)),
  call('an init that is a string', (fetch, at) => fetch(at.url, 'POST')),
  call('an init of a class with getters', (fetch, at) => fetch(at.url, new (class {
    get method() {
      return 'PUT';
    }
  })())),
  ...['get', 'Post', 'pUt', 'delete', 'head', 'options', 'PATCH', 'QUERY', 'PROPFIND'].map((method) => (
    call(`method ${method}`, (fetch, at) => fetch(at.url, { method })))),
  ...['CONNECT', 'trace', 'TRACK', '', 'G T', 'GET\n', 'ä', 'GET,'].map((method) => (
    call(`method ${JSON.stringify(method)}, refused`, (fetch, at) => fetch(at.url, { method })))),
  call('method null', (fetch, at) => fetch(at.url, { method: null }), { raw: (socket, head) => plain(socket, head.split(' ')[0]) }),
  ...['Custom', 'M-SEARCH+x'].map((method) => (
    call(`method ${method}`, (fetch, at) => fetch(at.url, { method }), { raw: (socket, head) => plain(socket, head.split(' ')[0]) }))),
  call('method patch', (fetch, at) => fetch(at.url, { method: 'patch' }), { raw: (socket, head) => plain(socket, head.split(' ')[0]) }),
  call('method made a string', (fetch, at) => fetch(at.url, { method: { toString: () => 'put' } })),
  call('a body with GET', (fetch, at) => fetch(at.url, { body: 'x' })),
  call('a body with HEAD', (fetch, at) => fetch(at.url, { method: 'HEAD', body: 'x' })),
  call('an empty body with GET', (fetch, at) => fetch(at.url, { body: '' })),

  call('a Request', (fetch, at) => fetch(new Request(`${at.url}/r?q#f`, { headers: { 'x-a': '1' } }))),
  call('a Request with a body', (fetch, at) => fetch(new Request(at.url, { method: 'POST', body: 'text' }))),
  call('a Request with a stream', (fetch, at) => (
    fetch(new Request(at.url, { method: 'POST', body: streamOf('a', 'b'), duplex: 'half' }))), {
    differs: { as: LENGTH, ours: { seen: [{ body: 'ab', headers: { 'content-length': '2' } }] } },
  }),
  call('a Request, changed by init', (fetch, at) => fetch(
    new Request(at.url, { method: 'POST', body: 'old', headers: { 'x-a': 'old', 'x-b': 'old' } }),
    { method: 'PUT', body: 'new', headers: { 'x-a': 'new' } },
  )),
  call('a Request, its headers taken away', (fetch, at) => fetch(new Request(at.url, { headers: { 'x-a': '1' } }), { headers: {} })),
  call('a Request, init with undefined members', (fetch, at) => (
    fetch(new Request(at.url, { method: 'PUT', headers: { 'x-a': '1' } }), { method: undefined, headers: undefined, body: undefined })
  )),
  call('a Request with a body, made a GET', (fetch, at) => fetch(new Request(at.url, { method: 'POST', body: 'x' }), { method: 'GET' })),
  call('a Request without a body, made a POST', (fetch, at) => fetch(new Request(at.url), { method: 'POST', body: 'x' })),
  call('a Request whose body was replaced by a stream without duplex', (fetch, at) => (
    fetch(new Request(at.url, { method: 'POST' }), { body: streamOf('a') }))),
  call('a Request that was aborted', (fetch, at) => fetch(new Request(at.url, { signal: AbortSignal.abort() }))),
  call('a Request that was aborted, with the signal taken away', (fetch, at) => (
    fetch(new Request(at.url, { signal: AbortSignal.abort() }), { signal: null }))),
  call('a Request with credentials in init', (fetch, at) => fetch(new Request(at.url, { credentials: 'include', mode: 'cors' }))),
  call('a Request that has been read', async (fetch, at) => {
    const request = new Request(at.url, { method: 'POST', body: 'x' });
    await request.text();
    return fetch(request);
  }),
  call('a Request that has been read, with a new body', async (fetch, at) => {
    const request = new Request(at.url, { method: 'POST', body: 'x' });
    await request.text();
    return fetch(request, { body: 'new' });
  }),
  {
    name: 'a Request a second time',
    async run(fetch, at) {
      const request = new Request(at.url, { method: 'POST', body: 'x', duplex: 'half' });
      const answering = fetch(request);
      const used = request.bodyUsed;
      const first = await whole(await answering);
      return { used, first: first.status, second: await fetch(request).catch((error) => error.name) };
    },
  },
  {
    name: 'a Request without a body, a second time',
    async run(fetch, at) {
      const request = new Request(at.url, { headers: { 'x-a': '1' } });
      return [(await fetch(request)).status, (await fetch(request)).status, request.bodyUsed];
    },
  },
  {
    name: 'a Request and its clone',
    async run(fetch, at) {
      const request = new Request(at.url, { method: 'PUT', body: streamOf('a', 'b'), duplex: 'half' });
      const twin = request.clone();
      return [await whole(await fetch(request)), await whole(await fetch(twin))];
    },
    differs: { as: LENGTH, ours: { seen: [{ body: 'ab' }, { body: 'ab', headers: { 'content-length': '2' } }] } },
  },
  call('a Request of a subclass', (fetch, at) => fetch(new (class Own extends Request {})(at.url, { method: 'PUT' }))),
  call('a Request of the undici package', (fetch, at) => (
    fetch(new undici.Request(`${at.url}/r`, { method: 'PUT', headers: { 'x-a': '1' } }))), {
    differs: {
      as: 'Objects of the undici package are taken for what they are',
      ours: { returned: { status: 200 }, seen: [{ method: 'PUT', path: '/r', headers: { 'x-a': '1' } }] },
    },
  }),
  call('a Request of the undici package with a body', (fetch, at) => (
    fetch(new undici.Request(at.url, { method: 'POST', body: 'text' }))), {
    differs: {
      as: 'Objects of the undici package are taken for what they are',
      ours: { returned: { status: 200 }, seen: [{ method: 'POST', body: 'text' }] },
    },
  }),
  call('a Request of the undici package with a stream', (fetch, at) => (
    fetch(new undici.Request(at.url, { method: 'POST', body: streamOf('a', 'b'), duplex: 'half' }))), {
    differs: {
      as: 'Objects of the undici package are taken for what they are',
      ours: { returned: { status: 200 }, seen: [{ method: 'POST', body: 'ab' }] },
    },
  }),
  call('a Request of the undici package, changed by init', (fetch, at) => (
    fetch(new undici.Request(`${at.url}/r`, { method: 'POST', body: 'old', redirect: 'manual' }), { body: 'new', headers: { 'x-a': '1' } })), {
    differs: {
      as: 'Objects of the undici package are taken for what they are',
      ours: { returned: { status: 200 }, seen: [{ method: 'POST', path: '/r', body: 'new', headers: { 'x-a': '1' } }] },
    },
  }),
  call('Headers of the undici package', (fetch, at) => fetch(at.url, { headers: new undici.Headers({ 'x-a': '1' }) })),
  call('a FormData of the undici package', (fetch, at) => {
    const body = new undici.FormData();
    body.append('a', '1');
    return fetch(at.url, { method: 'POST', body });
  }, {
    differs: {
      as: 'Objects of the undici package are taken for what they are',
      here: UNDICI >= 7,
      ours: { seen: [{ headers: { 'content-type': 'multipart/form-data; boundary=BOUNDARY' } }] },
    },
  }),
];

function plain(socket, text) {
  socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`);
}

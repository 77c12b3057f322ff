'use strict';

/** What a response shows: status, text, headers, body or none, and what kind of object it is. */

const { inspect, types } = require('node:util');

const { whole } = require('../run');
const { reply } = require('../../../../../testing');

const NODE = Number(process.versions.node.split('.')[0]);

/** Bytes on the wire. */
const raw = (name, text, more = {}) => {
  const { init, ...rest } = more;
  return {
    name,
    raw: (socket) => socket.end(Buffer.from(text, 'latin1')),
    run: async (fetch, at) => whole(await fetch(at.url, init)),
    ...rest,
  };
};
const taken = { returned: { status: 200, text: 'hi' } };
const refused = { threw: 'TypeError' };
const broken = (ours, here = true) => ({ differs: { as: 'Answers that break the rules of HTTP/1.1', here, ours } });

const of = (name, answer, look, { init, ...more } = {}) => ({
  name, answer, run: async (fetch, at) => look(await fetch(`${at.url}/path?q=1#part`, init)), ...more,
});

const HELLO = reply(200, { 'content-type': 'text/plain', 'x-a': '1' }, 'hello');

module.exports = [
  of('all there is', HELLO, whole),
  ...[200, 201, 202, 203, 206, 226, 299, 400, 401, 402, 403, 404, 405, 409, 410, 412, 413, 415, 416, 418, 422, 451,
    501, 505, 511, 599].map((status) => of(`status ${status}`, reply(status), whole)),
  ...[204, 304].map((status) => of(`status ${status} has no body`, (request, response) => response.writeHead(status).end(), whole)),
  raw('205 has no body', 'HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n'),
  raw('205 with a body', 'HTTP/1.1 205 Reset Content\r\nContent-Length: 2\r\n\r\nhi'),
  raw('204 with a length', 'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n'),
  raw('304 with a length', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: "x"\r\n\r\n'),
  ...['GET', 'HEAD'].map((method) => ({
    name: `${method} of a page with a length`,
    answer: HELLO,
    run: async (fetch, at) => whole(await fetch(at.url, { method })),
  })),
  ...[204, 205, 304, 404].map((status) => (
    of(`HEAD of status ${status}`, (request, response) => response.writeHead(status, { 'x-a': '1' }).end(), whole, { init: { method: 'HEAD' } }))),
  raw('HEAD, answered as if there were chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', { init: { method: 'HEAD' } }),
  raw('HEAD, answered as if it were compressed', 'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 20\r\n\r\n', { init: { method: 'HEAD' } }),
  raw('a reason of its own', 'HTTP/1.1 200 Alles gut!\r\nContent-Length: 0\r\n\r\n'),
  raw('a reason in latin1', 'HTTP/1.1 200 gr\u00fc\u00dfe\r\nContent-Length: 0\r\n\r\n', {
    differs: {
      as: 'A reason phrase outside of ASCII is left out',
      ours: { returned: { status: 200, statusText: '' } },
    },
  }),
  raw('no reason', 'HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n'),
  raw('no reason and no space', 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n'),
  raw('an unknown status', 'HTTP/1.1 299 Own\r\nContent-Length: 2\r\n\r\nhi'),
  raw('HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Type: a/b\r\n\r\nuntil the end'),
  raw('a body that the end of the connection ends', 'HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\nuntil the end'),
  raw('chunks, extensions, trailers', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-t\r\n\r\n3;e=1\r\nabc\r\n2\r\nde\r\n0\r\nX-T: 1\r\n\r\n'),
  raw('100 Continue before', 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi', {
    differs: { as: '100 Continue is passed over', ours: { returned: { status: 200, text: 'hi' } } },
  }),
  raw('102 and 103 before', 'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'),
  raw('three times 103 before', `${'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n'.repeat(3)}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi`),
  raw('101 that nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'),
  raw('white space around a header value', 'HTTP/1.1 200 OK\r\nX-Pad: \t v w \t\r\nContent-Length: 0\r\n\r\n', {
    differs: { as: 'White space around a header value does not belong to it', ours: { returned: { headers: expect.arrayContaining([['x-pad', 'v w']]) } } },
  }),
  raw('headers: empty, twice, latin1, tab', 'HTTP/1.1 200 OK\r\nX-Empty:\r\nX-Twice: a\r\nx-twice: b\r\nX-Latin: caf\u00e9\r\nX-Tab: a\tb\r\nContent-Length: 0\r\n\r\n'),
  raw('a header value in UTF-8', `HTTP/1.1 200 OK\r\nX-Utf8: ${Buffer.from('€').toString('latin1')}\r\nContent-Length: 0\r\n\r\n`),
  raw('headers in the order of their names', 'HTTP/1.1 200 OK\r\nZ: 1\r\nA: 2\r\nSet-Cookie: b=1\r\nM: 3\r\nset-cookie: a=2; Path=/; Expires=Wed, 09 Jun 2027 10:18:14 GMT\r\nContent-Length: 0\r\n\r\n'),
  raw('names that an object has already', 'HTTP/1.1 200 OK\r\nconstructor: 1\r\n__proto__: 2\r\nContent-Length: 0\r\n\r\n'),
  raw('two lengths that agree', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi', broken(taken)),
  raw('two lengths that do not', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi!'),
  raw('a length that is none', 'HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nhi'),
  raw('a length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n', broken(taken)),
  raw('a folded header', 'HTTP/1.1 200 OK\r\nX-A: 1\r\n 2\r\nContent-Length: 0\r\n\r\n', broken(refused, NODE < 24)),
  raw('a name with a space', 'HTTP/1.1 200 OK\r\nX A: 1\r\nContent-Length: 0\r\n\r\n', broken(refused, NODE < 24)),
  raw('bare line feeds', 'HTTP/1.1 200 OK\nX-A: 1\nContent-Length: 2\n\nhi', broken(taken)),
  raw('no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n'),
  raw('HTTP/2.0 in a status line', 'HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n', broken(refused)),
  raw('a status of two digits', 'HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n'),
  raw('status 600', 'HTTP/1.1 600 Odd\r\nContent-Length: 2\r\n\r\nhi'),
  raw('status 999', 'HTTP/1.1 999 Odd\r\nContent-Length: 2\r\n\r\nhi'),
  of('Set-Cookie, each by itself', reply(200, { 'set-cookie': ['a=1; Path=/', 'b=2'] }), ({ headers }) => (
    [headers.getSetCookie(), headers.get('set-cookie'), [...headers].filter(([name]) => name === 'set-cookie')])),
  of('headers can be iterated in every way', reply(200, { b: '1', a: ['2', '3'] }), ({ headers }) => {
    const each = [];
    headers.forEach((value, name, own) => each.push([name, value, own === headers]));
    const own = (names) => names.filter((name) => ['a', 'b'].includes(name));
    return [each.filter(([name]) => own([name]).length), own([...headers.keys()]), headers.has('A'), headers.get('B'), headers.get('c')];
  }),
  of('headers cannot be changed', HELLO, ({ headers }) => ['set', 'append', 'delete'].map((method) => {
    try {
      headers[method]('x-b', '2');
      return 'changed';
    } catch (error) {
      return error.name;
    }
  }), {
    differs: { as: 'The headers of a response can be changed', ours: { returned: ['changed', 'changed', 'changed'] } },
  }),
  of('an instance', HELLO, (response) => [
    response instanceof Response, response.headers instanceof Headers, response.body instanceof ReadableStream,
    Object.prototype.toString.call(response), response.constructor === Response, response.constructor.name, Object.keys(response),
    JSON.stringify(response), 'recovery' in Response.prototype,
  ]),
  of('its members, of the prototype', HELLO, (response) => (
    Object.getOwnPropertyNames(Response.prototype).filter((name) => !(name in response)))),
  of('members cannot be assigned', HELLO, (response) => ['status', 'ok', 'url', 'body', 'headers'].map((name) => {
    try {
      response[name] = 1;
      return 'assigned';
    } catch (error) {
      return error.name;
    }
  })),
  of('the same objects each time', HELLO, (response) => {
    const { headers, body } = response;
    return [headers === response.headers, body === response.body];
  }),
  of('not a promise, not cloneable', HELLO, (response) => {
    try {
      structuredClone(response);
      return 'cloned';
    } catch (error) {
      return [error.name, error.code];
    }
  }, {
    differs: { as: 'A response that is cloned structurally is an empty object', here: NODE >= 22, ours: { returned: 'cloned' } },
  }),
  of('util.inspect', reply(404, { 'x-own': 'shown' }), (response) => inspect(response).split('\n').map((line) => line.trim().replace(/:.*/, '')).filter((line) => line !== '')),
  of('types', HELLO, (response) => [types.isProxy(response), typeof response]),
  of('a Response made of it', HELLO, async (response) => {
    const made = new Response(response.body, response);
    return [made.status, made.statusText, made.headers.get('x-a'), await made.text()];
  }),
  of('a Response made of its head', HELLO, async (response) => new Response('new', { ...response, headers: response.headers }).headers.get('x-a')),
  of('Response.prototype.text called on it', HELLO, async (response) => Response.prototype.text.call(response), {
    differs: {
      as: 'Methods of the built-in Response refuse ours',
      ours: { threw: 'TypeError' },
    },
  }),
  {
    name: 'the head of a request, as it is written',
    raw: (socket, head) => {
      const lines = head.split('\r\n').map((line) => line.split(':')[0]);
      const text = JSON.stringify(lines);
      socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`);
    },
    run: async (fetch, at) => (await fetch(at.url, { headers: { 'X-Own': '1' } })).json(),
    differs: { as: 'The head of a request is written differently', ours: { returned: expect.arrayContaining(['x-own', 'host']) } },
  },
  {
    name: 'the code of a connection that ends before the answer',
    raw: (socket) => socket.end(),
    run: async (fetch, at) => {
      const error = await fetch(at.url, { method: 'POST', body: 'x' }).catch((thrown) => thrown);
      return [error.name, error.message, error.cause.code];
    },
    differs: { as: 'Errors carry the code of what happened', ours: { returned: ['TypeError', 'fetch failed', 'ECONNRESET'] } },
  },
  { name: 'url without the fragment', run: async (fetch, at) => (await fetch(`${at.url}/a b?c#d`)).url },
  { name: 'url as it was normalised', run: async (fetch, at) => (await fetch(`${at.url.replace('http', 'HTTP')}/a/../ü`)).url },
  { name: '150 headers', answer: reply(200, Object.fromEntries(Array.from({ length: 150 }, (_, index) => [`x-${index}`, 'v']))), run: async (fetch, at) => [...(await fetch(at.url)).headers].length },
];

'use strict';

const { createHash } = require('node:crypto');
const net = require('node:net');
const { once } = require('node:events');
const { Readable } = require('node:stream');
const { setImmediate: nextTurn } = require('node:timers/promises');

const { fetch, builtIn } = require('../../support/fetch-contenders');
const { closeAll, echo, ok, startOrigin } = require('../../../testing');
const { caught } = require('../../support/fetch-outcomes');

const KIB = 1024;
const MIB = 1024 * KIB;

/** Headers in which the two differ, and why. */
const DIFFERENT = {
  host: 'each call has a server of its own',
  connection: 'keep-alive is what HTTP/1.1 means when nothing is said (RFC 9112, section 9.3)',
};

afterEach(closeAll);

/** What the server saw of a call, without what may differ. */
async function seen(client, input, init) {
  const origin = await startOrigin(ok);
  const url = `${origin.url}/`;
  const response = await client(typeof input === 'function' ? input(url) : url, init);
  await response.text();
  expect(origin.requests).toHaveLength(1);
  const [{ method, headers, body }] = origin.requests;
  await origin.close();
  const compared = {};
  for (const [name, value] of Object.entries(headers)) {
    if (!Object.hasOwn(DIFFERENT, name)) compared[name] = withoutBoundary(value);
  }
  return { method, headers: compared, body: comparable(body), size: body.length };
}

/** Forms are delimited by a random text. */
function withoutBoundary(text) {
  return text.replaceAll(/-{4}formdata-undici-0\d+/g, 'BOUNDARY');
}

/** Long ones as their digest: no report of a failure should be MiB long. */
function comparable(body) {
  if (body.length > 16 * KIB) return createHash('sha256').update(body).digest('hex');
  return withoutBoundary(body.toString('latin1'));
}

const bytes = (...values) => Uint8Array.from(values);
const file = () => new File(['a,b\n'], 'ä "table".csv', { type: 'text/csv' });

function form({ files }) {
  const made = new FormData();
  made.append('name', 'Zoë\r\nof two lines');
  made.append('name', 'twice');
  made.append('quoted "field"', '');
  if (files) {
    made.append('table', file());
    made.append('blob', new Blob([bytes(0, 255, 13, 10)]));
    made.append('renamed', new Blob(['x'], { type: 'image/png' }), 'x.png');
  }
  return made;
}

function streamOf(...chunks) {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
}

function byteStreamOf(...chunks) {
  return new ReadableStream({
    type: 'bytes',
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
}

async function* generated(...chunks) {
  for (const chunk of chunks) {
    await nextTurn();
    yield chunk;
  }
}

const BODIES = [
  ['a string', () => 'grüße €'],
  ['an empty string', () => ''],
  ['a long string', () => 'ü'.repeat(MIB)],
  ['a string with a lone surrogate', () => 'a\ud800b'],
  ['a Uint8Array', () => bytes(0, 1, 254, 255)],
  ['an empty Uint8Array', () => bytes()],
  ['a Buffer', () => Buffer.from('pooled')],
  ['a view in the middle of its buffer', () => bytes(1, 2, 3, 4, 5).subarray(1, 4)],
  ['a DataView', () => new DataView(bytes(1, 2, 3, 4).buffer, 1, 2)],
  ['a Float64Array', () => Float64Array.of(1.5, -2)],
  ['an ArrayBuffer', () => bytes(1, 2, 3).buffer],
  ['some MiB of bytes', () => Buffer.alloc(3 * MIB, 'abc')],
  ['a Blob', () => new Blob(['blob ', bytes(255)])],
  ['a Blob with a type', () => new Blob(['{}'], { type: 'application/json' })],
  ['an empty Blob', () => new Blob([])],
  ['a File', file],
  ['a FormData', () => form({ files: false })],
  ['a FormData with files', () => form({ files: true })],
  ['an empty FormData', () => new FormData()],
  ['a URLSearchParams', () => new URLSearchParams([['a', '1 2'], ['ü', '&=']])],
  ['an empty URLSearchParams', () => new URLSearchParams()],
  ['a number', () => 42],
  ['an object', () => ({})],
  ['null', () => null],
  ['undefined', () => undefined],
];

const STREAMS = [
  ['a ReadableStream', () => streamOf(bytes(1, 2), bytes(3))],
  ['a byte stream', () => byteStreamOf(bytes(1, 2), bytes(3))],
  ['a stream with empty pieces', () => streamOf(bytes(), bytes(1), bytes(), bytes(2), bytes())],
  ['an async generator', () => generated(bytes(1, 2), bytes(3))],
  ['a Node Readable', () => Readable.from([Buffer.from('no'), Buffer.from('de')])],
  ['the body of a Response', () => new Response('of a response').body],
];

describe('what leaves is what leaves the built-in fetch', () => {
  test.each(BODIES)('%s', async (name, make) => {
    const init = () => ({ method: 'POST', body: make() });
    expect(await seen(fetch, null, init())).toEqual(await seen(builtIn, null, init()));
  });

  test.each(STREAMS)('%s', async (name, make) => {
    const init = () => ({ method: 'POST', body: make(), duplex: 'half' });
    const ours = await seen(fetch, null, init());
    expect(ours).toEqual(await seen(builtIn, null, init()));
    expect(ours.headers['transfer-encoding']).toBe('chunked');
  });

  test.each([...BODIES, ...STREAMS])('a Request with %s', async (name, make) => {
    const input = (url) => new Request(url, { method: 'PUT', body: make(), duplex: 'half', headers: { 'x-own': '1' } });
    const [ours, theirs] = [await seen(fetch, input), await seen(builtIn, input)];
    if (theirs.headers['transfer-encoding'] !== undefined && ours.headers['content-length'] !== undefined) {
      // A Request shows a stream whatever it was made from. Ours sends what was in memory with its length.
      delete theirs.headers['transfer-encoding'];
      theirs.headers['content-length'] = ours.headers['content-length'];
      expect(ours.headers['content-length']).toBe(String(ours.size));
    }
    expect(ours).toEqual(theirs);
  });

  test.each(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'get', 'post', 'PROPFIND'])(
    'method %s without a body',
    async (method) => {
      expect(await seen(fetch, null, { method })).toEqual(await seen(builtIn, null, { method }));
    },
  );

  test.each(['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'])('method %s with a body', async (method) => {
    const init = { method, body: 'b' };
    expect(await seen(fetch, null, init)).toEqual(await seen(builtIn, null, init));
  });

  test.each(['Custom', 'patch', 'M-SEARCH+x'])('method %s, which is sent as it was written', async (method) => {
    // By hand: Node's own server knows its methods only.
    const server = net.createServer((socket) => {
      socket.once('data', (chunk) => socket.end(respondWith(String(chunk).split(' ')[0])));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    for (const client of [fetch, builtIn]) {
      const response = await client(`http://127.0.0.1:${server.address().port}/`, { method });
      expect(await response.text()).toBe(method);
    }
    server.close();
  });

  test('an empty stream is an empty body', async () => {
    // The built-in fetch waits for the stream to end, and says a length of 0 then.
    const ours = await seen(fetch, null, { method: 'POST', body: streamOf(), duplex: 'half' });
    expect(ours).toMatchObject({ body: '', headers: { 'transfer-encoding': 'chunked' } });
  });

  test.each([
    ['a Content-Type of one\'s own', { body: '{}', headers: { 'Content-Type': 'application/json' } }],
    ['a Content-Type of one\'s own for a form', { body: form({ files: false }), headers: { 'content-type': 'x/y' } }],
    ['the Content-Length that the body has', { body: 'four', headers: { 'content-length': '4' } }],
    ['headers as a record', { headers: { 'X-A': '1', 'x-b': ' padded\t' } }],
    ['headers as pairs, one of them twice', { headers: [['x-a', '1'], ['X-A', '2']] }],
    ['headers as a Headers object', { headers: new Headers([['x-a', '1'], ['x-a', '2'], ['accept', 'text/html']]) }],
    ['headers as a Map', { headers: new Map([['x-a', '1']]) }],
    ['a latin1 header value', { headers: { 'x-a': 'caf\u00e9' } }],
    ['an empty header value', { headers: { 'x-a': '' } }],
    ['header values that are no strings', { headers: { 'x-a': 1, 'x-b': null, 'x-c': undefined, 'x-d': true } }],
    ['cookies', { headers: { cookie: 'a=1; b=2' } }],
    ['a user agent of one\'s own', { headers: { 'user-agent': 'me/1' } }],
    ['accept headers of one\'s own', { headers: { accept: 'a/b', 'accept-language': 'de' } }],
    ['no headers at all', {}],
  ])('%s', async (name, init) => {
    const posted = { method: 'POST', ...init };
    expect(await seen(fetch, null, posted)).toEqual(await seen(builtIn, null, posted));
  });

  test.each([
    ['a stream', () => streamOf(bytes(1, 2, 3))],
    ['a Node Readable', () => Readable.from([Buffer.from('abc')])],
  ])('the Content-Length that the caller knows of %s', async (name, make) => {
    const init = () => ({ method: 'PUT', body: make(), duplex: 'half', headers: { 'content-length': '3' } });
    const ours = await seen(fetch, null, init());
    expect(ours).toEqual(await seen(builtIn, null, init()));
    expect(ours.headers['content-length']).toBe('3');
  });

  test.each([
    ['less', [bytes(1, 2), bytes(3)], '4'],
    ['more in its last piece', [bytes(1), bytes(2, 3)], '2'],
    ['more pieces', [bytes(1, 2), bytes(3)], '2'],
    ['anything', [bytes(1)], '0'],
  ])('a stream that has %s than the Content-Length says fails', async (name, pieces, length) => {
    for (const client of [fetch, builtIn]) {
      const origin = await startOrigin(ok);
      const init = { method: 'PUT', body: streamOf(...pieces), duplex: 'half', headers: { 'content-length': length } };
      await expect(client(origin.url, init)).rejects.toMatchObject({ name: 'TypeError', message: 'fetch failed' });
      await origin.close();
    }
  });

  describe('a Content-Length of 0', () => {
    const saidEmpty = (body) => ({ method: 'PUT', body, duplex: 'half', headers: { 'content-length': '0' } });
    const endless = (cancel) => new ReadableStream({ pull: () => new Promise(() => {}), cancel });

    test.each([
      ['a stream', (...pieces) => streamOf(...pieces)],
      ['a function', (...pieces) => () => streamOf(...pieces)],
    ])('%s that has something fails, and nothing is sent', async (name, make) => {
      const origin = await startOrigin(ok);
      const error = await caught(fetch(origin.url, saidEmpty(make(bytes(), bytes(1)))));
      expect(error).toMatchObject({ name: 'TypeError', code: 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH' });
      expect(error.recovery.attempts).toMatchObject([{ fault: { phase: 'send', delivery: 'not-sent' } }]);
      expect(origin.requests).toHaveLength(0);
      const { headers, body } = await seen(fetch, null, saidEmpty(make()));
      expect([headers['content-length'], headers['transfer-encoding'], body]).toEqual(['0', undefined, '']);
    });

    test.each(['total', 'attempt'])('a function that says nothing is waited for until timeout.%s', async (part) => {
      const origin = await startOrigin(ok);
      let call;
      await new Promise((cancelled) => {
        call = caught(fetch(origin.url, { ...saidEmpty(() => endless(cancelled)), timeout: { [part]: 50 }, retry: false }));
      });
      expect((await call).cause).toMatchObject({ code: 'ETIMEDOUT', phase: 'send', delivery: 'not-sent' });
      expect(origin.requests).toHaveLength(0);
    });
  });

  test('init overrides the Request', async () => {
    const input = (url) => new Request(url, { method: 'POST', body: 'old', headers: { 'x-a': 'old', 'x-b': 'old' } });
    const init = { method: 'PUT', body: 'new', headers: { 'x-a': 'new' } };
    const ours = await seen(fetch, input, init);
    expect(ours).toEqual(await seen(builtIn, input, init));
    expect(ours).toMatchObject({ method: 'PUT', body: 'new', headers: { 'x-a': 'new', 'content-length': '3' } });
    expect(ours.headers['x-b']).toBeUndefined();
  });

  test('a URL object, its query, and no fragment', async () => {
    const origin = await startOrigin(echo);
    for (const client of [fetch, builtIn]) {
      const response = await client(new URL(`${origin.url}/a b/ü?q=ü 1#part`));
      expect(await response.json()).toMatchObject({ path: '/a%20b/%C3%BC?q=%C3%BC%201' });
    }
  });

  test('credentials in a URL are refused, as the standard says', async () => {
    const origin = await startOrigin(ok);
    const url = origin.url.replace('//', '//user:pass@');
    for (const client of [fetch, builtIn]) {
      await expect(client(url)).rejects.toMatchObject({ name: 'TypeError' });
    }
    expect(origin.requests).toHaveLength(0);
  });
});

describe('a function as body', () => {
  test.each([
    ['a ReadableStream', () => streamOf(bytes(97), bytes(98))],
    ['a promise of a stream', async () => streamOf(bytes(97), bytes(98))],
    ['an async generator', () => generated('a', 'b')],
    ['an iterable', () => ['a', bytes(98)]],
    ['bytes', () => bytes(97, 98)],
    ['a string', () => 'ab'],
    ['a Node Readable', () => Readable.from(['a', 'b'])],
  ])('may return %s', async (name, body) => {
    expect(await seen(fetch, null, { method: 'POST', body })).toMatchObject({
      body: 'ab',
      headers: { 'transfer-encoding': 'chunked' },
    });
  });

  test('that returns something else rejects the call and says what it may return', async () => {
    const origin = await startOrigin(ok);
    await expect(fetch(origin.url, { method: 'POST', body: () => 7 })).rejects.toMatchObject({
      name: 'TypeError',
      cause: expect.objectContaining({ name: 'TypeError', message: expect.stringMatching(/body.*must return/) }),
    });
    expect(origin.requests.every(({ complete }) => !complete)).toBe(true);
  });
});

function respondWith(text) {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`;
}

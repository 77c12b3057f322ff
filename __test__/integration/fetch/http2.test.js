'use strict';

// HTTP/2, as a user sees it: the option, one session for all calls, and what a server's refusals come to.

const { constants } = require('node:http2');
const { once } = require('node:events');

const { caught, codesOf } = require('../../support/fetch-outcomes');
const { closeHttp2Servers, echo, inTurn, resetWith, startHttp2Server } = require('../../support/http2-server');

const {
  NGHTTP2_HTTP_1_1_REQUIRED, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM,
} = constants;

const QUICK = { retry: { backoff: { base: 1, cap: 2 } } };
const post = (body) => ({ method: 'POST', body });
const read = async (call) => (await call).text();

/** Answers what comes over HTTP/1.1. */
const onRequest = (request, response) => request.pipe(response);

afterEach(closeHttp2Servers);

describe('http2', () => {
  test.each([
    ['undefined', undefined, 'h2'],
    ['true', true, 'h2'],
    ['false', false, 'http/1.1'],
  ])('%s: what is spoken to a server that knows both', async (name, http2, spoken) => {
    const server = await startHttp2Server(echo, { onRequest });
    expect(await read(server.client({ http2 })(server.url, post('hello')))).toBe('hello');
    expect(server.sockets.map((socket) => socket.alpnProtocol)).toEqual([spoken]);
  });

  test('false: each call in flight has a connection', async () => {
    const waiting = [];
    const server = await startHttp2Server(echo, {
      onRequest(request, response) {
        waiting.push(response);
        if (waiting.length === 3) for (const each of waiting) each.end('ok');
      },
    });
    const client = server.client({ http2: false });
    expect(await Promise.all([1, 2, 3].map(() => read(client(server.url))))).toEqual(['ok', 'ok', 'ok']);
    expect(server.sockets).toHaveLength(3);
  });
});

describe('one session', () => {
  test('carries 100 calls at a time', async () => {
    const waiting = [];
    const server = await startHttp2Server((stream) => {
      waiting.push(stream);
      if (waiting.length < 100) return;
      for (const each of waiting) each.respond();
      for (const each of waiting) each.pipe(each);
    });
    const client = server.client();
    const bodies = Array.from({ length: 100 }, (_, index) => `body ${index}`);
    expect(await Promise.all(bodies.map((body) => read(client(server.url, post(body)))))).toEqual(bodies);
    expect(server.sockets).toHaveLength(1);
  });

  test('that allows one stream at a time serves 20 calls one after the other', async () => {
    let open = 0;
    let most = 0;
    const server = await startHttp2Server((stream) => {
      most = Math.max(most, ++open);
      stream.on('close', () => open--);
      echo(stream);
    }, { settings: { maxConcurrentStreams: 1 } });
    const client = server.client();
    const bodies = Array.from({ length: 20 }, (_, index) => `body ${index}`);
    expect(await Promise.all(bodies.map((body) => read(client(server.url, post(body)))))).toEqual(bodies);
    expect([most, server.sockets.length]).toEqual([1, 1]);
  });

  test('is closed when nobody has used it for as long as keepAlive.timeout says', async () => {
    const server = await startHttp2Server(echo);
    const client = server.client({ keepAlive: { timeout: 500 } });
    await read(client(server.url));
    const begun = performance.now();
    await once(server.sockets[0], 'close');
    // The bounds leave room for a busy machine, and none for the default of 4 s.
    expect(performance.now() - begun).toBeGreaterThan(300);
    expect(performance.now() - begun).toBeLessThan(3_500);
    await read(client(server.url));
    expect(server.sockets).toHaveLength(2);
  });

  test('is not closed while a call uses it', async () => {
    const server = await startHttp2Server((stream) => {
      stream.respond();
      stream.write('begin');
      // Longer than the limit, and the second in which it is looked after.
      setTimeout(() => stream.end(' end'), 1_600);
    });
    const client = server.client({ keepAlive: { timeout: 100 } });
    expect(await read(client(server.url))).toBe('begin end');
    expect(server.sockets).toHaveLength(1);
  });

  test('each, with keepAlive: false, and no call waits for another one', async () => {
    const waiting = [];
    const server = await startHttp2Server((stream) => {
      waiting.push(stream);
      if (waiting.length === 5) for (const each of waiting) echo(each);
    });
    const client = server.client({ keepAlive: false });
    const calls = Array.from({ length: 5 }, (_, index) => read(client(server.url, post(`body ${index}`))));
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 5 }, (_, index) => `body ${index}`));
    expect(server.sockets).toHaveLength(5);
    await Promise.all(server.sockets.map((socket) => socket.closed || once(socket, 'close')));
  });

  test('ends with close(), after the calls that use it', async () => {
    const server = await startHttp2Server((stream) => {
      stream.respond();
      stream.write('begin');
      stream.on('data', () => {}).on('end', () => setImmediate(() => stream.end(' end')));
    });
    const client = server.client();
    const response = await client(server.url);
    const closing = client.close();
    expect(await response.text()).toBe('begin end');
    await closing;
    await (server.sockets[0].closed || once(server.sockets[0], 'close'));
  });
});

describe('what is sent and what comes', () => {
  /** The headers that a call arrives with. */
  async function received(init, path = '/') {
    let headers;
    const server = await startHttp2Server((stream, head) => {
      headers = { ...head };
      echo(stream);
    });
    await read(server.client()(server.url + path, init));
    return { headers, host: new URL(server.url).host };
  }

  test('the pseudo-headers, and no Host', async () => {
    const { headers, host } = await received(undefined, '/a%20b?c');
    expect(headers).toMatchObject({ ':method': 'GET', ':scheme': 'https', ':path': '/a%20b?c', ':authority': host });
    expect(headers).not.toHaveProperty('host');
  });

  test("a caller's Host is the :authority", async () => {
    const { headers } = await received({ headers: { host: 'other.test:81' } });
    expect(headers[':authority']).toBe('other.test:81');
    expect(headers).not.toHaveProperty('host');
  });

  test('what belongs to an HTTP/1.1 connection is dropped', async () => {
    const { headers } = await received({ headers: { connection: 'close', 'proxy-connection': 'close', te: 'gzip', 'x-other': '1' } });
    expect(Object.keys(headers)).not.toEqual(expect.arrayContaining([expect.stringMatching(/^(connection|proxy-connection|te)$/)]));
    expect(headers['x-other']).toBe('1');
  });

  test('"te: trailers" goes out', async () => {
    expect((await received({ headers: { te: 'trailers' } })).headers.te).toBe('trailers');
  });

  test('the length of a body that is known, and none of a stream', async () => {
    expect((await received(post('hello'))).headers['content-length']).toBe('5');
    expect((await received({ method: 'POST' })).headers['content-length']).toBe('0');
    const body = new ReadableStream({ pull: (controller) => controller.close() });
    expect((await received({ ...post(body), duplex: 'half' })).headers).not.toHaveProperty('content-length');
  });

  test('there is no status text; cookies and bytes outside of ASCII come as they are', async () => {
    const server = await startHttp2Server((stream) => {
      stream.respond({ ':status': 404, 'set-cookie': ['a=1', 'b=2; Secure'], 'x-latin': 'é' });
      stream.end('gone');
    });
    const response = await server.client()(server.url);
    expect([response.status, response.statusText]).toEqual([404, '']);
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2; Secure']);
    expect(response.headers.get('x-latin')).toBe('é');
    expect(await response.text()).toBe('gone');
  });

  test('informational responses and trailers are passed over', async () => {
    const server = await startHttp2Server((stream) => {
      stream.additionalHeaders({ ':status': 103, link: '</style.css>; rel=preload' });
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-checksum': '1' }));
      stream.end('body');
    });
    const response = await server.client()(server.url);
    expect([response.status, response.headers.get('x-checksum'), await response.text()]).toEqual([200, null, 'body']);
  });

  test('a 421 is an answer like any other', async () => {
    const server = await startHttp2Server((stream) => {
      stream.respond({ ':status': 421 });
      stream.end();
    });
    const response = await server.client(QUICK)(server.url);
    expect(response.status).toBe(421);
    expect(server.seen).toHaveLength(1);
  });
});

describe('a server that did not act on a request has said so', () => {
  test('REFUSED_STREAM: a POST is repeated on the same session, and arrives once', async () => {
    const server = await startHttp2Server(inTurn(echo, resetWith(NGHTTP2_REFUSED_STREAM), echo));
    const client = server.client(QUICK);
    await read(client(server.url));
    const response = await client(server.url, post('charge'));
    expect(await response.text()).toBe('charge');
    expect(codesOf(response.recovery)).toEqual(['ERR_HTTP2_STREAM_ERROR', null]);
    const [{ fault }] = response.recovery.attempts;
    expect(fault).toMatchObject({ delivery: 'not-sent', transient: true, reconnect: false });
    expect(fault.reason).toMatch(/did not act on/);
    expect(server.seen.map(({ session, method }) => [session, method])).toEqual([[0, 'GET'], [0, 'POST'], [0, 'POST']]);
  });

  test('GOAWAY before its stream: a POST is repeated on a new session, although some of its body had left', async () => {
    const arrived = [];
    const server = await startHttp2Server((stream, headers, session) => {
      if (session > 0 || headers[':method'] === 'GET') {
        echo(stream);
        return;
      }
      stream.once('data', (piece) => {
        arrived.push(piece);
        stream.session.goaway(NGHTTP2_NO_ERROR, stream.id - 2);
      });
    });
    const client = server.client(QUICK);
    await read(client(server.url));
    const response = await client(server.url, post('x'.repeat(300_000)));
    expect(await response.text()).toHaveLength(300_000);
    const [{ fault }] = response.recovery.attempts;
    expect(fault).toMatchObject({ code: 'ERR_HTTP2_GOAWAY_SESSION', delivery: 'not-sent', transient: true });
    expect(fault.reason).toMatch(/did not and will not act on/);
    expect(arrived[0].length).toBeGreaterThan(0);
    expect(server.seen.map(({ session, method }) => [session, method])).toEqual([[0, 'GET'], [0, 'POST'], [1, 'POST']]);
  });

  test('GOAWAY lets the calls before it end, and those after it go over a new session', async () => {
    const streams = [];
    const server = await startHttp2Server((stream, headers, session) => {
      if (session > 0) {
        echo(stream);
        return;
      }
      stream.respond();
      stream.write('begin');
      streams.push(stream);
      if (streams.length === 2) stream.session.goaway(NGHTTP2_NO_ERROR, stream.id);
    });
    const client = server.client(QUICK);
    const responses = await Promise.all([client(server.url), client(server.url)]);
    expect(await read(client(server.url, post('later')))).toBe('later');
    for (const stream of streams) stream.end(' end');
    expect(await Promise.all(responses.map((response) => response.text()))).toEqual(['begin end', 'begin end']);
    expect(server.sockets).toHaveLength(2);
    expect(responses.map(({ recovery }) => codesOf(recovery))).toEqual([[null], [null]]);
  });

  test.each([
    ['RST_STREAM', resetWith(NGHTTP2_HTTP_1_1_REQUIRED)],
    ['GOAWAY', (stream) => stream.session.goaway(NGHTTP2_HTTP_1_1_REQUIRED, stream.id - 2)],
  ])('HTTP_1_1_REQUIRED by %s: a POST is repeated over HTTP/1.1, and that is remembered', async (name, refuse) => {
    const server = await startHttp2Server(inTurn(echo, refuse), { onRequest });
    const client = server.client(QUICK);
    await read(client(server.url));
    const response = await client(server.url, post('charge'));
    expect(await response.text()).toBe('charge');
    expect(response.recovery.attempts).toHaveLength(2);
    expect(response.recovery.attempts[0].fault).toMatchObject({ delivery: 'not-sent', reason: expect.stringContaining('HTTP/1.1') });
    expect(await read(client(server.url, post('again')))).toBe('again');
    expect(server.sockets.map((socket) => socket.alpnProtocol)).toEqual(['h2', 'http/1.1']);
  });
});

describe('a server that may have acted on a request', () => {
  test('INTERNAL_ERROR: a POST is not repeated', async () => {
    const server = await startHttp2Server(resetWith(NGHTTP2_INTERNAL_ERROR));
    const error = await caught(server.client(QUICK)(server.url, post('charge')));
    expect(error).toMatchObject({ message: 'fetch failed', code: 'ERR_HTTP2_STREAM_ERROR', recovery: { gaveUp: 'not-idempotent' } });
    expect(error.cause).toMatchObject({ kind: 'reset', phase: 'wait', delivery: 'unknown', reconnect: false });
    expect(server.seen).toHaveLength(1);
  });

  test('INTERNAL_ERROR: a GET is repeated, on the same session', async () => {
    const reset = resetWith(NGHTTP2_INTERNAL_ERROR);
    const server = await startHttp2Server(inTurn(echo, reset, reset, echo));
    const client = server.client(QUICK);
    await read(client(server.url));
    const response = await client(server.url);
    expect(codesOf(response.recovery)).toEqual(['ERR_HTTP2_STREAM_ERROR', 'ERR_HTTP2_STREAM_ERROR', null]);
    expect(server.sockets).toHaveLength(1);
  });

  test('GOAWAY after its stream, and then the end: a POST is not repeated, the next call has a new session', async () => {
    const server = await startHttp2Server((stream, headers, session) => {
      if (session > 0) {
        echo(stream);
        return;
      }
      stream.session.goaway(NGHTTP2_NO_ERROR, stream.id);
      stream.session.ping(() => server.connections[session].destroy());
    });
    const client = server.client(QUICK);
    const error = await caught(client(server.url, post('charge')));
    expect(error).toMatchObject({ code: 'ECONNRESET', recovery: { gaveUp: 'not-idempotent' } });
    expect(error.cause).toMatchObject({ delivery: 'unknown', phase: 'wait' });
    expect(await read(client(server.url, post('next')))).toBe('next');
    expect(server.seen).toHaveLength(2);
  });

  test('a session that is destroyed under several calls: GETs are repeated on one new session, POSTs are not', async () => {
    const server = await startHttp2Server((stream, headers, session) => {
      if (session > 0) echo(stream);
      else if (server.seen.length === 6) server.connections[session].resetAndDestroy();
    });
    const client = server.client(QUICK);
    const gets = Array.from({ length: 3 }, () => client(server.url));
    const posts = Array.from({ length: 3 }, () => caught(client(server.url, post('charge'))));
    for (const { cause } of await Promise.all(posts)) {
      expect(cause).toMatchObject({ code: 'ECONNRESET', delivery: 'unknown', transient: true, reconnect: true });
    }
    for (const { status, recovery } of await Promise.all(gets)) expect([status, codesOf(recovery)]).toEqual([200, ['ECONNRESET', null]]);
    expect(server.seen).toHaveLength(9);
    // On a busy machine a second connection is begun before the first has been made; nothing is sent over it.
    expect(new Set(server.seen.map(({ session }) => session)).size).toBe(2);
  });
});

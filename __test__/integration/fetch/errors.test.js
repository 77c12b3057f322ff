'use strict';

const net = require('node:net');
const { once } = require('node:events');

const selfsigned = require('selfsigned');

const { fetch, createFetch, classify, isReset, isTransient } = require('../../..');
const { builtIn } = require('../../support/fetch-contenders');
const { closeAll, ok, partial, raw, refusedPort, reply, rst, startOrigin } = require('../../../testing');
const { startFaultyServer } = require('../../support/faulty-server');
const { caught } = require('../../support/fetch-outcomes');

/** What a fault is called is under test here, not what is done about it. */
const ONE_ATTEMPT = { retry: false };

afterEach(closeAll);

async function failureOf(call) {
  const error = await caught(call);
  expect(error.name).toBe('TypeError');
  expect(error.cause.name).toBe('FaultError');
  expect(error.code).toBe(error.cause.code);
  expect(error.cause.reason).toMatch(/^\S.* .*\.$/);
  return error;
}

/** What our own classifier makes of our own error is what is on it. */
function expectClassified(error) {
  const fault = classify(error);
  for (const field of Object.keys(fault)) expect([field, error.cause[field]]).toEqual([field, fault[field]]);
  expect(isReset(error)).toBe(error.cause.kind === 'reset');
  expect(isTransient(error)).toBe(error.cause.transient);
}

describe('before the answer', () => {
  let faulty;

  beforeEach(async () => {
    faulty = await startFaultyServer();
  });

  test.each([
    ['/rst-before', { code: 'ECONNRESET', kind: 'reset', phase: 'wait', delivery: 'unknown', ending: 'rst', errno: -104, syscall: 'read', transient: true }],
    ['/fin-before', { code: 'ECONNRESET', kind: 'reset', phase: 'wait', delivery: 'unknown', ending: 'fin', transient: true }],
    ['/not-http', { kind: 'protocol', delivery: 'unknown', transient: false }],
  ])('%s', async (path, fault) => {
    const error = await failureOf(fetch(`${faulty.url}${path}`, ONE_ATTEMPT));
    expect(error.message).toBe('fetch failed');
    expect(error.cause).toMatchObject({ ...fault, address: '127.0.0.1', port: faulty.port });
    expect(error.recovery.attempts).toHaveLength(1);
    expectClassified(error);
  });

  test('nobody listens', async () => {
    const port = await refusedPort();
    const error = await failureOf(fetch(`http://127.0.0.1:${port}`, ONE_ATTEMPT));
    expect(error.cause).toMatchObject({
      code: 'ECONNREFUSED', kind: 'refused', phase: 'connect', delivery: 'not-sent', transient: true,
      errno: -111, syscall: 'connect', address: '127.0.0.1', port,
    });
    expect(error.cause.message).toContain(`connect ECONNREFUSED 127.0.0.1:${port}`);
    expectClassified(error);
  });

  test('a name that does not resolve', async () => {
    // RFC 2606: never delegated.
    const error = await failureOf(fetch('http://no-such-host.invalid/', ONE_ATTEMPT));
    expect(error.cause).toMatchObject({
      kind: 'dns', phase: 'resolve', delivery: 'not-sent', syscall: 'getaddrinfo', address: 'no-such-host.invalid',
    });
    expect(error.code).toMatch(/^(ENOTFOUND|EAI_AGAIN)$/);
    expectClassified(error);
  });

  test('TLS spoken to a server without it', async () => {
    const server = net.createServer((socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address();
    const error = await failureOf(fetch(`https://127.0.0.1:${port}`, ONE_ATTEMPT));
    expect(error.cause).toMatchObject({ kind: 'tls', phase: 'handshake', delivery: 'not-sent', transient: false, port });
    expectClassified(error);
    server.close();
  });

  test('a handshake that the server ends', async () => {
    const server = net.createServer((socket) => socket.once('data', () => socket.resetAndDestroy())).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const error = await failureOf(fetch(`https://127.0.0.1:${server.address().port}`, ONE_ATTEMPT));
    expect(error.cause).toMatchObject({ code: 'ECONNRESET', kind: 'reset', phase: 'handshake', delivery: 'not-sent', transient: true });
    expectClassified(error);
    server.close();
  });
});

describe('an answer that is no HTTP', () => {
  test.each([
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['a status that is none', 'HTTP/1.1 OK\r\n\r\n'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['a header without colon', 'HTTP/1.1 200 OK\r\nno colon\r\n\r\n'],
    ['a header name with a space', 'HTTP/1.1 200 OK\r\nx y: 1\r\n\r\n'],
    ['a length that is none', 'HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    ['a NUL in a header', 'HTTP/1.1 200 OK\r\nx-a: a\0b\r\n\r\n'],
  ])('%s', async (name, text) => {
    const origin = await startOrigin(raw(text));
    const error = await failureOf(fetch(origin.url, ONE_ATTEMPT));
    // Whatever speaks first, as an SSH server does, has not read the request: what was seen of it is not known.
    expect(error.cause).toMatchObject({ kind: 'protocol', phase: 'receive', delivery: 'unknown', transient: false });
    expectClassified(error);
    // It is not repeated either: it would be the same again.
    await failureOf(fetch(origin.url));
    expect(origin.requests).toHaveLength(2);
  });
});

describe('an answer with more headers than are read', () => {
  const withHeaders = (lines) => raw(`HTTP/1.1 200 OK\r\nContent-Length: 0\r\n${lines}\r\n`);

  test.each([
    ['too many', 'x-a: 1\r\n'.repeat(256)],
    ['too large', `x-a: ${'a'.repeat(512 * 1024)}\r\n`],
  ])('%s', async (name, lines) => {
    const origin = await startOrigin(withHeaders(lines));
    const error = await failureOf(fetch(origin.url));
    // The code that Node's own clients give.
    expect(error.cause).toMatchObject({ code: 'HPE_HEADER_OVERFLOW', kind: 'too-large', phase: 'receive', transient: false });
    expectClassified(error);
    expect(origin.requests).toHaveLength(1);
  });

  test('as many as are read', async () => {
    const origin = await startOrigin(withHeaders('x-a: 1\r\n'.repeat(255)));
    expect((await fetch(origin.url)).status).toBe(200);
  });
});

describe('inside the body', () => {
  const chunked = { headers: {} };

  test.each([
    ['RST', partial(rst), { ending: 'rst', errno: -104, syscall: 'read' }],
    ['RST, chunked', partial(rst, chunked), { ending: 'rst' }],
    ['FIN', partial((request, response) => response.socket.end()), { ending: 'fin' }],
    ['FIN, chunked', partial((request, response) => response.socket.end(), chunked), { ending: 'fin' }],
  ])('%s: reading it fails, however it is read', async (name, answer, fault) => {
    const origin = await startOrigin(answer);
    for (const read of [
      (response) => response.text(),
      (response) => response.json(),
      (response) => response.arrayBuffer(),
      (response) => response.clone().text(),
      async ({ body }) => {
        for await (const chunk of body) expect(Buffer.from(chunk).toString()).toBe('partial');
      },
    ]) {
      const response = await fetch(origin.url, ONE_ATTEMPT);
      expect(response.status).toBe(200);
      const error = await failureOf(read(response));
      expect(error.message).toBe('terminated');
      expect(error.cause).toMatchObject({ code: 'ECONNRESET', kind: 'reset', phase: 'receive', delivery: 'answered', transient: true, ...fault });
      expect(error.recovery.attempts).toMatchObject([{ fault: { code: 'ECONNRESET', phase: 'receive' }, delay: 0 }]);
      expectClassified(error);
    }
  });

  test('its stack shows who read the body', async () => {
    const origin = await startOrigin(partial(rst));
    for (const read of ['text', 'json', 'arrayBuffer', 'blob', 'formData']) {
      const response = await fetch(origin.url, ONE_ATTEMPT);
      const error = await failureOf(response[read]());
      expect(error.stack).toContain(__filename);
      expect(error.cause.stack).toContain(__filename);
    }
  });

  test('a chunk that is none', async () => {
    const origin = await startOrigin(raw('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n'));
    const error = await failureOf(fetch(origin.url, ONE_ATTEMPT).then((response) => response.text()));
    expect(error.cause).toMatchObject({ kind: 'protocol', phase: 'receive', delivery: 'answered', transient: false });
    expectClassified(error);
  });

  test('a body that is longer than its length is cut there, as HTTP has it', async () => {
    const origin = await startOrigin(raw('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more'));
    expect(await (await fetch(origin.url)).text()).toBe('ok');
  });

  test('the error stays: whoever reads again gets it again', async () => {
    const origin = await startOrigin(partial(rst));
    const { body } = await fetch(origin.url);
    const reader = body.getReader();
    const first = await (async () => {
      for (;;) await reader.read();
    })().catch((error) => error);
    expect(first.code).toBe('ECONNRESET');
    await expect(reader.read()).rejects.toBe(first);
    await expect(reader.closed).rejects.toBe(first);
  });

  test('both sides of a clone get it', async () => {
    const origin = await startOrigin(partial(rst));
    const response = await fetch(origin.url);
    const twin = response.clone();
    const settled = await Promise.allSettled([response.text(), twin.text()]);
    expect(settled.map(({ reason }) => reason?.code)).toEqual(['ECONNRESET', 'ECONNRESET']);
  });
});

describe('certificates', () => {
  const day = 86_400_000;

  async function secureOrigin(commonName, { names = [], ip, ...options } = {}) {
    const altNames = [...names.map((value) => ({ type: 2, value })), ...(ip === undefined ? [] : [{ type: 7, ip }])];
    const { cert, private: key } = await selfsigned.generate([{ name: 'commonName', value: commonName }], {
      keySize: 2048,
      extensions: [{ name: 'subjectAltName', altNames }],
      ...options,
    });
    return startOrigin(ok, { tls: { cert, key } });
  }

  test.each([
    ['self-signed', { ip: '127.0.0.1' }, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['expired', { ip: '127.0.0.1', notBeforeDate: new Date(Date.now() - 2 * day), notAfterDate: new Date(Date.now() - day) }, /./],
  ])('%s: refused before anything is sent, and not repeated', async (name, options, code) => {
    const origin = await secureOrigin('127.0.0.1', options);
    const error = await failureOf(fetch(origin.url));
    expect(error.cause).toMatchObject({ kind: 'tls', phase: 'handshake', delivery: 'not-sent', transient: false, port: origin.port });
    expect(error.code).toMatch(code);
    expect(error.recovery).toMatchObject({ gaveUp: 'not-transient', attempts: [{ delay: 0 }] });
    expect(origin.requests).toHaveLength(0);
    expectClassified(error);
    const reference = await builtIn(origin.url).catch(({ cause }) => cause);
    expect(error.code).toBe(reference.code);
  });
});

describe('what cannot be fetched', () => {
  test.each([
    'ftp://127.0.0.1/', 'file:///etc/hostname', 'about:blank', 'ws://127.0.0.1/', 'javascript:1', 'mailto:a@example.com',
  ])('%s', async (url) => {
    const error = await failureOf(fetch(url));
    expect(error.cause).toMatchObject({ kind: 'client', delivery: 'not-sent', transient: false });
    expectClassified(error);
    await expect(builtIn(url)).rejects.toMatchObject({ name: 'TypeError' });
  });

  test('a blocked port says so, in the words of the built-in fetch and in a sentence', async () => {
    const error = await failureOf(fetch('http://127.0.0.1:1/', ONE_ATTEMPT));
    expect(error).toMatchObject({ message: 'fetch failed', code: 'ERR_BAD_PORT' });
    expect(error.cause).toMatchObject({ message: 'bad port', kind: 'client', delivery: 'not-sent', reason: expect.stringMatching(/port/) });
  });

  test('data: and blob: need no network, and work as in the built-in fetch', async () => {
    const data = await fetch('data:text/plain;charset=utf-8,caf%C3%A9');
    expect([data.status, data.headers.get('content-type'), await data.text()]).toEqual([200, 'text/plain;charset=utf-8', 'café']);
    const url = URL.createObjectURL(new Blob(['of a blob'], { type: 'a/b' }));
    const blob = await createFetch()(url, { headers: { accept: '*/*' } });
    expect([blob.status, await blob.text()]).toEqual([200, 'of a blob']);
    URL.revokeObjectURL(url);
    await expect(fetch(url)).rejects.toMatchObject({ name: 'TypeError' });
    await expect(fetch('data:no-comma')).rejects.toMatchObject({ name: 'TypeError' });
  });
});

describe('an answer is no error', () => {
  test.each([400, 404, 418, 451, 501])('%i resolves', async (status) => {
    const origin = await startOrigin(reply(status, {}, 'told'));
    const response = await fetch(origin.url);
    expect([response.status, response.ok, await response.text()]).toEqual([status, false, 'told']);
    // It can be classified all the same.
    expect(classify(response)).toMatchObject({ code: `HTTP_${status}`, status, delivery: 'answered' });
  });
});

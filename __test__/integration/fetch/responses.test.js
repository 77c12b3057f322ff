'use strict';

const { Readable } = require('node:stream');
const { inspect } = require('node:util');

const { fetch, contenders } = require('../../support/fetch-contenders');
const { closeAll, ok, partial, reply, rst, startOrigin } = require('../../../testing');

afterEach(closeAll);

/** Sends the head, and the body when it is told to. */
function late(body, headers = { 'content-length': Buffer.byteLength(body) }) {
  let send;
  const told = new Promise((resolve) => {
    send = resolve;
  });
  const answer = async (request, response) => {
    response.writeHead(200, headers);
    response.flushHeaders();
    await told;
    response.end(body);
  };
  return { answer, send };
}

const bytesOf = (...values) => Uint8Array.from(values);

async function gather(iterable) {
  const chunks = [];
  for await (const chunk of iterable) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

// What holds for the built-in fetch holds for ours.
describe.each(contenders)('%s', (contender, call) => {
  async function get(answer, init) {
    const origin = await startOrigin(answer);
    return call(`${origin.url}/path?q=1#part`, init);
  }

  describe('the head', () => {
    test('is a Response with Headers', async () => {
      const response = await get(ok);
      expect(response).toBeInstanceOf(Response);
      expect(response.headers).toBeInstanceOf(Headers);
      expect(Object.prototype.toString.call(response)).toBe('[object Response]');
      expect(response.constructor.name).toBe('Response');
      expect(response).toMatchObject({ status: 200, statusText: 'OK', ok: true, redirected: false, type: 'basic', bodyUsed: false });
      expect(response.url).toMatch(/\/path\?q=1$/);
    });

    test.each([
      [201, 'Created', true],
      [206, 'Partial Content', true],
      [299, 'Whatever', true],
      [304, 'Not Modified', false],
      [400, '', false],
      [404, 'Nicht gefunden', false],
      [501, 'Not Implemented', false],
      [599, 'Own', false],
    ])('status %i %s', async (status, statusText, isOk) => {
      const response = await get((request, response_) => {
        response_.writeHead(status, statusText || ' ', { 'content-length': 0 });
        response_.end();
      });
      expect(response.status).toBe(status);
      expect(response.statusText.trim()).toBe(statusText);
      expect(response.ok).toBe(isOk);
    });

    test('headers: joined, listed, in latin1, and each cookie by itself', async () => {
      const { headers } = await get((request, response) => {
        response.setHeader('X-Twice', ['a', 'b']);
        response.setHeader('X-Latin', 'caf\u00e9');
        response.setHeader('X-Empty', '');
        response.setHeader('Set-Cookie', ['a=1; Path=/', 'b=2']);
        response.end();
      });
      expect(headers.get('x-twice')).toBe('a, b');
      expect(headers.get('X-LATIN')).toBe('caf\u00e9');
      expect(headers.get('x-empty')).toBe('');
      expect(headers.get('x-absent')).toBeNull();
      expect(headers.getSetCookie()).toEqual(['a=1; Path=/', 'b=2']);
      expect(headers.get('set-cookie')).toBe('a=1; Path=/, b=2');
      expect([...headers].filter(([name]) => name === 'set-cookie')).toHaveLength(2);
      expect([...headers.keys()]).toEqual([...headers.keys()].sort());
    });

    test('150 headers', async () => {
      const { headers } = await get((request, response) => {
        for (let index = 0; index < 150; index++) response.setHeader(`x-${index}`, String(index));
        response.end();
      });
      expect(headers.get('x-149')).toBe('149');
    });

    test('the same object each time it is asked for', async () => {
      const response = await get(ok);
      expect(response.headers).toBe(response.headers);
      expect(response.body).toBe(response.body);
    });

    test('util.inspect shows what a Response shows', async () => {
      const text = inspect(await get(reply(404, { 'x-own': 'shown' })));
      expect(text).toMatch(/^Response \{/);
      for (const part of ['status: 404', "statusText: 'Not Found'", 'ok: false', 'bodyUsed: false', "'x-own': 'shown'", 'ReadableStream']) {
        expect(text).toContain(part);
      }
    });
  });

  /** How it is read, what comes of it, the body, its headers. */
  const READERS = [
    ['text', (response) => response.text(), 'grüße', Buffer.from('grüße'), {}],
    ['json', (response) => response.json(), { a: ['ü', 1] }, Buffer.from('{"a":["ü",1]}'), {}],
    ['arrayBuffer', (response) => response.arrayBuffer().then((buffer) => [buffer instanceof ArrayBuffer, [...new Uint8Array(buffer)]]),
      [true, [0, 255, 128, 10]], Buffer.from([0, 255, 128, 10]), {}],
    ['blob', (response) => response.blob().then(async (blob) => [blob instanceof Blob, blob.type, blob.size, await blob.text()]),
      [true, 'text/x;a=b', 2, 'ab'], Buffer.from('ab'), { 'content-type': 'Text/X; A=b' }],
    ['formData, urlencoded', (response) => response.formData().then((form) => [...form]),
      [['a', '1 2'], ['ü', '']], Buffer.from('a=1+2&%C3%BC='), { 'content-type': 'application/x-www-form-urlencoded' }],
    ['formData, multipart', (response) => response.formData().then((form) => [form.get('a'), form.get('f').name]),
      ['1', 'f.txt'],
      Buffer.from('--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--B\r\nContent-Disposition: form-data; name="f"; filename="f.txt"\r\nContent-Type: text/plain\r\n\r\nx\r\n--B--\r\n'),
      { 'content-type': 'multipart/form-data; boundary=B' }],
    ['the stream', (response) => gather(response.body).then(String), 'streamed', Buffer.from('streamed'), {}],
    ['Readable.fromWeb', (response) => gather(Readable.fromWeb(response.body)).then(String), 'streamed', Buffer.from('streamed'), {}],
    ['new Response(body)', (response) => new Response(response.body, response).text(), 'again', Buffer.from('again'), {}],
  ];

  describe.each([
    ['that has arrived with its head', async (body, headers) => get(reply(200, headers, body))],
    ['that arrives late, with its length', async (body, headers) => {
      const { answer, send } = late(body, { 'content-length': body.length, ...headers });
      const response = await get(answer);
      setImmediate(send);
      return response;
    }],
    ['that arrives late, chunked', async (body, headers = {}) => {
      const { answer, send } = late(body, headers);
      const response = await get(answer);
      setImmediate(send);
      return response;
    }],
    ['that the end of the connection ends', async (body, headers) => get((request, response) => {
      response.removeHeader('transfer-encoding');
      response.useChunkedEncodingByDefault = false;
      response.writeHead(200, { connection: 'close', ...headers });
      response.end(body);
    })],
  ])('a body %s', (kind, respond) => {
    test.each(READERS)('as %s', async (reader, read, expected, body, headers) => {
      const response = await respond(body, headers);
      const reading = read(response);
      expect(response.bodyUsed || response.body.locked).toBe(true);
      expect(await reading).toEqual(expected);
    });

    test('as a clone, read side by side', async () => {
      const response = await respond(Buffer.from('cloned'));
      const twin = response.clone();
      expect(twin).toBeInstanceOf(Response);
      expect(twin).toMatchObject({ status: 200, statusText: 'OK', url: response.url, type: response.type });
      expect([...twin.headers]).toEqual([...response.headers]);
      expect(await Promise.all([response.text(), twin.text()])).toEqual(['cloned', 'cloned']);
    });

    test('as a clone of a clone, one of them cancelled', async () => {
      const response = await respond(Buffer.from('cloned'));
      const twin = response.clone();
      const third = twin.clone();
      twin.body.cancel().catch(() => {});
      expect(await Promise.all([response.text(), third.text()])).toEqual(['cloned', 'cloned']);
    });

    test('teed', async () => {
      const [one, two] = (await respond(Buffer.from('teed'))).body.tee();
      expect(await Promise.all([gather(one), gather(two)])).toEqual([Buffer.from('teed'), Buffer.from('teed')]);
    });

    test('by a BYOB reader', async () => {
      const response = await respond(Buffer.from('12345'));
      const reader = response.body.getReader({ mode: 'byob' });
      let text = '';
      for (;;) {
        const { done, value } = await reader.read(new Uint8Array(2));
        if (done) break;
        expect(value.byteLength).toBeLessThanOrEqual(2);
        text += Buffer.from(value);
      }
      expect(text).toBe('12345');
      await reader.closed;
    });

    test('once only', async () => {
      const response = await respond(Buffer.from('once'));
      expect(response.bodyUsed).toBe(false);
      const first = response.text();
      expect(response.bodyUsed).toBe(true);
      await expect(response.json()).rejects.toMatchObject({ name: 'TypeError', message: expect.stringContaining('Body') });
      expect(await first).toBe('once');
      await expect(response.text()).rejects.toMatchObject({ name: 'TypeError' });
      expect(() => response.clone()).toThrow();
      expect(response.body.locked || response.bodyUsed).toBe(true);
    });

    test('not while a reader holds it, then again', async () => {
      const response = await respond(Buffer.from('held'));
      const reader = response.body.getReader();
      await expect(response.text()).rejects.toMatchObject({ name: 'TypeError' });
      expect(() => response.clone()).toThrow();
      expect(response.bodyUsed).toBe(false);
      reader.releaseLock();
      expect(await response.text()).toBe('held');
    });

    test('not after some of it was read', async () => {
      const response = await respond(Buffer.from('some'));
      const reader = response.body.getReader();
      await reader.read();
      reader.releaseLock();
      expect(response.bodyUsed).toBe(true);
      await expect(response.text()).rejects.toMatchObject({ name: 'TypeError' });
    });

    test('not after it was cancelled', async () => {
      const response = await respond(Buffer.from('cancelled'));
      await response.body.cancel();
      expect(response.bodyUsed).toBe(true);
      await expect(response.text()).rejects.toMatchObject({ name: 'TypeError' });
    });
  });

  describe('texts', () => {
    test.each([
      ['a byte order mark is left out', [0xef, 0xbb, 0xbf, 0x61], 'a'],
      ['invalid bytes become the replacement character', [0x61, 0xff, 0xc3, 0x28, 0x62], 'a\ufffd\ufffd(b'],
      ['a character that is cut off', [0x61, 0xe2, 0x82], 'a\ufffd'],
      ['NUL and other control characters stay', [0, 1, 0x7f], '\0\u0001\u007f'],
    ])('%s', async (name, body, expected) => {
      expect(await (await get(reply(200, {}, Buffer.from(body)))).text()).toBe(expected);
    });

    test('json without its byte order mark', async () => {
      expect(await (await get(reply(200, {}, Buffer.from('\ufeff{"a":1}')))).json()).toEqual({ a: 1 });
    });

    test.each(['', '{', 'undefined', '<html>'])('json of %j is a SyntaxError', async (body) => {
      await expect((await get(reply(200, {}, body))).json()).rejects.toMatchObject({ name: 'SyntaxError' });
    });

    test('formData of something else is a TypeError', async () => {
      const response = await get(reply(200, { 'content-type': 'text/plain' }, 'a=1'));
      await expect(response.formData()).rejects.toMatchObject({ name: 'TypeError' });
    });
  });

  describe('no body', () => {
    test.each([
      ['HEAD', 200, { method: 'HEAD' }],
      ['204', 204, {}],
      ['304', 304, {}],
      // 205 is left out: Node's server sends the body that it is given.
    ])('%s', async (name, status, init) => {
      const response = await get((request, response_) => {
        response_.writeHead(status, request.method === 'HEAD' ? { 'content-length': 1234 } : {});
        response_.end();
      }, init);
      expect(response.status).toBe(status);
      expect(response.body).toBeNull();
      expect(response.bodyUsed).toBe(false);
      if (init.method === 'HEAD') expect(response.headers.get('content-length')).toBe('1234');
      expect(await response.clone().text()).toBe('');
      expect(await response.text()).toBe('');
      expect((await response.arrayBuffer()).byteLength).toBe(0);
      expect(response.bodyUsed).toBe(false);
    });

    test('is not an empty body', async () => {
      const response = await get(reply(200, {}, ''));
      expect(response.body).toBeInstanceOf(ReadableStream);
      expect(await response.text()).toBe('');
      expect(response.bodyUsed).toBe(true);
      await expect(response.text()).rejects.toMatchObject({ name: 'TypeError' });
    });

    test('an empty body as a stream, as bytes, as a blob', async () => {
      expect(await gather((await get(reply(200, {}, ''))).body)).toHaveLength(0);
      expect((await (await get(reply(200, {}, ''))).arrayBuffer()).byteLength).toBe(0);
      expect((await (await get(reply(200, {}, ''))).blob()).size).toBe(0);
    });
  });
});

describe('ours besides', () => {
  test('only the first byte order mark is left out', async () => {
    // The Fetch standard's "UTF-8 decode"; the built-in fetch leaves out two.
    const origin = await startOrigin(reply(200, {}, '\ufeff\ufeffa'));
    expect(await (await fetch(origin.url)).text()).toBe('\ufeffa');
  });

  test('bytes(), which Node has from version 22 on', async () => {
    for (const answer of [ok, partial((request, response) => response.end('!'), { headers: {} })]) {
      const origin = await startOrigin(answer);
      const bytes = await (await fetch(origin.url)).bytes();
      expect(bytes).toBeInstanceOf(Uint8Array);
      expect(Buffer.isBuffer(bytes)).toBe(false);
      expect(Buffer.from(bytes).toString()).toMatch(/^(ok|partial!)$/);
      // Of its own: a slice of a pool would show what belongs to others.
      expect(bytes.buffer.byteLength).toBe(bytes.byteLength);
    }
  });

  test('the bytes of two clones are apart', async () => {
    const origin = await startOrigin(reply(200, {}, Buffer.from([1, 200, 3])));
    const response = await fetch(origin.url);
    const [one, two] = await Promise.all([response.clone().bytes(), response.bytes()]);
    one.fill(9);
    expect(two).toEqual(bytesOf(1, 200, 3));
  });

  test('recovery of a call that needed none', async () => {
    const origin = await startOrigin(ok);
    const response = await fetch(origin.url);
    const clean = { attempts: [{ fault: null, delay: 0 }], resumed: 0, bytesRefetched: 0 };
    expect(response.recovery).toEqual(clean);
    expect(response.recovery).toBe(response.recovery);
    expect(response.clone().recovery).toEqual(clean);
  });

  test('the status of a response is kept when its body is not', async () => {
    const origin = await startOrigin(partial(rst));
    const response = await fetch(origin.url);
    await expect(response.text()).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(response.status).toBe(200);
    expect(response.bodyUsed).toBe(true);
  });

  test('a status that the constructor of Response refuses', async () => {
    const origin = await startOrigin((request, response) => response.socket.end('HTTP/1.1 999 Odd\r\nContent-Length: 2\r\n\r\nhi'));
    const response = await fetch(origin.url);
    expect(response).toMatchObject({ status: 999, statusText: 'Odd', ok: false });
    expect(await response.clone().text()).toBe('hi');
  });
});

test('a clone can be made when the body has been looked at, and each has bytes of its own', async () => {
  const { url } = await startOrigin(reply(200, {}, 'x'.repeat(20_000)));
  const response = await fetch(url);
  expect(inspect(response)).toContain('status: 200');
  const twin = response.clone();
  expect(await twin.text()).toBe(await response.text());

  const first = await fetch(url);
  const second = first.clone();
  (await first.bytes()).fill(0);
  expect((await second.text()).slice(0, 3)).toBe('xxx');
});

test('bytes read through a stream are in a buffer of their own', async () => {
  const { url } = await startOrigin(reply(200, {}, 'short'));
  const response = await fetch(url);
  expect(response.body.locked).toBe(false);
  const bytes = await response.bytes();
  expect(bytes.buffer.byteLength).toBe(5);
});

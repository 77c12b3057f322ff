'use strict';

const { execFile } = require('node:child_process');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { setImmediate: nextTurn } = require('node:timers/promises');
const { promisify } = require('node:util');
const zlib = require('node:zlib');

const { createFetch } = require('../../..');
const { closeAll, echo, ok, partial, reply, startOrigin } = require('../../../testing');
const { fetch, builtIn } = require('../../support/fetch-contenders');
const { caught } = require('../../support/fetch-outcomes');
const { makeCertificate } = require('../../support/certificates');

const KIB = 1024;
const MIB = 1024 * KIB;

const PLAIN = 'Zoë says hello. '.repeat(20);
const GZIP = zlib.gzipSync(PLAIN);
const DEFLATE = zlib.deflateSync(PLAIN);
const BARE = zlib.deflateRawSync(PLAIN);
const BROTLI = zlib.brotliCompressSync(PLAIN);
/** "hello " twenty times, by zstd: Node 20 cannot make it. */
const ZSTD = Buffer.from('KLUv/QRobQAAMGhlbGxvIAEAL2kpAno+fCg=', 'base64');

afterEach(closeAll);

const encoded = (encoding, body, status = 200) => reply(status, { 'content-encoding': encoding }, body);

/** Of some MiB, and different all over. */
function long(size) {
  const parts = [];
  for (let n = 0, length = 0; length < size; n++) {
    const part = `${n}: ${(n * n) % 9973}\n`;
    parts.push(part);
    length += part.length;
  }
  return Buffer.from(parts.join(''));
}

/** A frame of `size` zeros in four bytes for each 128 KiB (RFC 8878: a block that repeats one byte). */
function zstdOfZeros(size) {
  const blocks = Math.ceil(size / (128 * KIB));
  const frame = Buffer.alloc(6 + 4 * blocks);
  Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 7 << 3]).copy(frame);
  for (let block = 0; block < blocks; block++) {
    frame.writeUIntLE(((128 * KIB) << 3) | (1 << 1) | (block === blocks - 1), 6 + 4 * block, 3);
  }
  return frame;
}

/** What a caller sees of a response, or how reading it failed. */
async function seen(client, answer, init) {
  const origin = await startOrigin(answer);
  try {
    const response = await client(origin.url, init);
    const { status, headers } = response;
    return {
      status,
      encoding: headers.get('content-encoding'),
      length: headers.get('content-length'),
      hasBody: response.body !== null,
      text: await response.text(),
    };
  } catch (error) {
    return { rejected: error.name, message: error.message };
  } finally {
    await origin.close();
  }
}

const join = (...parts) => Buffer.concat(parts.map((part) => Buffer.from(part)));
const damaged = (bytes, fromEnd) => {
  const copy = Buffer.from(bytes);
  copy[copy.length - fromEnd] ^= 1;
  return copy;
};

describe('a compressed body is what the built-in fetch makes of it', () => {
  test.each([
    ['gzip', 'gzip', GZIP],
    ['x-gzip', 'x-gzip', GZIP],
    ['a coding in any case', 'GZip', GZIP],
    ['deflate', 'deflate', DEFLATE],
    ['deflate without zlib\'s header', 'deflate', BARE],
    ['br', 'br', BROTLI],
    ['two codings', 'deflate, gzip', zlib.gzipSync(DEFLATE)],
    ['two codings in two headers', ['br', 'deflate'], zlib.deflateSync(BROTLI)],
    ['five codings', 'gzip,gzip,deflate,gzip,br', zlib.brotliCompressSync(zlib.gzipSync(zlib.deflateSync(zlib.gzipSync(GZIP))))],
    ['a coding that nobody knows', 'compress', 'as it is'],
    ['one known, one not', 'compress, gzip', GZIP],
    ['identity', 'identity', 'as it is'],
    ['gzip and identity', 'gzip, identity', GZIP],
    ['gzip and nothing', 'gzip,', GZIP],
    ['an empty coding', '', 'as it is'],
    ['no bytes at all, gzip', 'gzip', ''],
    ['no bytes at all, deflate', 'deflate', ''],
    ['no bytes at all, br', 'br', ''],
    ['an empty text', 'gzip', zlib.gzipSync('')],
    ['two members', 'gzip', join(GZIP, GZIP)],
    ['zeros behind the end', 'gzip', join(GZIP, Buffer.alloc(10))],
    ['something else behind the end of gzip', 'gzip', join(GZIP, 'garbage')],
    ['something else behind the end of deflate', 'deflate', join(DEFLATE, 'garbage')],
    ['something else behind the end of br', 'br', join(BROTLI, 'garbage')],
    ['what is no gzip', 'gzip', 'no gzip, but quite long for what it is'],
    ['what is no deflate', 'deflate', 'no deflate'],
    ['what is no br', 'br', 'hello, this is no br'],
    ['a wrong checksum', 'gzip', damaged(GZIP, 8)],
    ['a wrong length', 'gzip', damaged(GZIP, 4)],
    ['a wrong checksum of deflate', 'deflate', damaged(DEFLATE, 1)],
  ])('%s', async (name, encoding, body) => {
    expect(await seen(fetch, encoded(encoding, body))).toEqual(await seen(builtIn, encoded(encoding, body)));
  });

  test.each([201, 204, 205, 206, 304, 404, 500])('with status %d', async (status) => {
    const init = { retry: false };
    expect(await seen(fetch, encoded('gzip', GZIP, status), init)).toEqual(await seen(builtIn, encoded('gzip', GZIP, status)));
  });

  test('of a HEAD, however it claims to be encoded', async () => {
    for (const encoding of ['gzip', 'gzip,gzip,gzip,gzip,gzip,gzip']) {
      const ours = await seen(fetch, encoded(encoding, GZIP), { method: 'HEAD' });
      expect(ours).toEqual(await seen(builtIn, encoded(encoding, GZIP), { method: 'HEAD' }));
      expect(ours).toMatchObject({ hasBody: false, text: '', encoding });
    }
  });

  test('of a redirect that is handed over, and of one that is followed', async () => {
    const redirecting = (request, response) => {
      if (request.path === '/end') return encoded('gzip', GZIP)(request, response);
      return reply(302, { location: '/end', 'content-encoding': 'gzip' }, zlib.gzipSync('moved'))(request, response);
    };
    for (const redirect of ['manual', 'follow']) {
      const ours = await seen(fetch, redirecting, { redirect });
      expect(ours).toEqual(await seen(builtIn, redirecting, { redirect }));
      expect(ours.text).toBe(redirect === 'manual' ? 'moved' : PLAIN);
    }
  });

  test('when it comes byte by byte', async () => {
    const trickling = async (request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' });
      for (const byte of GZIP) {
        response.write(Uint8Array.of(byte));
        await nextTurn();
      }
      response.end();
    };
    for (const client of [fetch, builtIn]) expect(await seen(client, trickling)).toMatchObject({ text: PLAIN });
  });

  test('and `integrity` is that of the text', async () => {
    const integrity = `sha256-${createHash('sha256').update(PLAIN).digest('base64')}`;
    const ofTheBytes = `sha256-${createHash('sha256').update(GZIP).digest('base64')}`;
    for (const client of [fetch, builtIn]) {
      expect(await seen(client, encoded('gzip', GZIP), { integrity })).toMatchObject({ text: PLAIN });
      expect(await seen(client, encoded('gzip', GZIP), { integrity: ofTheBytes })).toMatchObject({ rejected: 'TypeError' });
    }
  });

  test('in every form in which it is read', async () => {
    const origin = await startOrigin(encoded('br', zlib.brotliCompressSync('{"a":"ö"}')));
    for (const client of [fetch, builtIn]) {
      const read = async (how) => how(await client(origin.url));
      expect(await read((response) => response.json())).toEqual({ a: 'ö' });
      expect(await read(async (response) => Buffer.from(await response.arrayBuffer()).toString())).toBe('{"a":"ö"}');
      expect(await read(async (response) => (await response.blob()).text())).toBe('{"a":"ö"}');
      expect(await read(async (response) => [await response.clone().text(), await response.text()]))
        .toEqual(['{"a":"ö"}', '{"a":"ö"}']);
    }
  });

  test.each([
    ['gzip', zlib.gzipSync],
    ['br', (plain) => zlib.brotliCompressSync(plain, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } })],
  ])('when it is long: %s', async (encoding, compress) => {
    const plain = long(6 * MIB);
    const origin = await startOrigin(encoded(encoding, compress(plain)));
    expect(plain.equals(await (await fetch(origin.url)).bytes())).toBe(true);
    const pieces = [];
    for await (const piece of (await fetch(origin.url)).body) pieces.push(piece);
    expect(pieces.length).toBeGreaterThan(1);
    expect(plain.equals(Buffer.concat(pieces))).toBe(true);
  });
});

describe('what is asked for', () => {
  const asked = async (client, init) => {
    const origin = await startOrigin(ok);
    await (await client(origin.url, init)).text();
    return origin.requests[0].headers['accept-encoding'];
  };

  test.each([
    ['nothing said', {}],
    ['of one\'s own', { headers: { 'accept-encoding': 'br;q=1, *;q=0' } }],
    ['nothing wanted', { headers: { 'accept-encoding': '' } }],
    ['a range', { headers: { range: 'bytes=0-' } }],
    ['a range, and of one\'s own', { headers: { range: 'bytes=0-', 'accept-encoding': 'gzip' } }],
    ['a POST', { method: 'POST', body: 'b' }],
    ['a HEAD', { method: 'HEAD' }],
  ])('%s', async (name, init) => {
    const ours = await asked(fetch, init);
    expect(ours).toBe(await asked(builtIn, init));
    expect(ours).toEqual(expect.any(String));
  });

  test('over TLS also what middleboxes may not know', async () => {
    const tls = await makeCertificate();
    const origin = await startOrigin(echo, { tls });
    const program = `
      const clients = [require(${JSON.stringify(require.resolve('../../..'))}).fetch, fetch];
      const asked = async (client) => (await (await client(${JSON.stringify(origin.url)})).json()).headers['accept-encoding'];
      Promise.all(clients.map(asked)).then((both) => console.log(JSON.stringify(both)));`;
    const [ours, theirs] = JSON.parse(await printedTrusting(tls.cert, program));
    expect(ours).toBe('br, gzip, deflate, zstd');
    // Node 20 cannot decode zstd.
    expect([ours, 'br, gzip, deflate']).toContain(theirs);
  });
});

/** What a program prints in a process that trusts the certificate. */
async function printedTrusting(certificate, program) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'unreset-decoding-'));
  try {
    const file = path.join(directory, 'root.pem');
    fs.writeFileSync(file, certificate);
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: file };
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', program], { env, timeout: 20_000 });
    return stdout;
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
}

describe('zstd', () => {
  test('is decoded, frame by frame', async () => {
    expect(await seen(fetch, encoded('zstd', ZSTD))).toMatchObject({ encoding: 'zstd', text: 'hello '.repeat(20) });
    expect(await seen(fetch, encoded('zstd', join(ZSTD, ZSTD)))).toMatchObject({ text: 'hello '.repeat(40) });
    expect(await seen(fetch, encoded('zstd, gzip', zlib.gzipSync(ZSTD)))).toMatchObject({ text: 'hello '.repeat(20) });
  });
});

describe('a body that is not whole', () => {
  test.each([
    ['gzip', GZIP],
    ['deflate', DEFLATE],
    ['deflate', BARE],
    ['br', BROTLI],
    ['zstd', ZSTD],
  ])('%s: never ends as if it were', async (encoding, whole) => {
    for (const missing of [1, 3, whole.length - 1]) {
      const origin = await startOrigin(encoded(encoding, whole.subarray(0, -missing)));
      const response = await fetch(origin.url);
      const error = await caught(response.text());
      expect(error).toMatchObject({ name: 'TypeError', message: 'terminated', code: 'Z_BUF_ERROR' });
      expect(error.cause).toMatchObject({ kind: 'protocol', phase: 'receive', delivery: 'answered', transient: true });
      expect(error.recovery.attempts).toHaveLength(1);
      const streamed = (await fetch(origin.url)).body;
      await expect((async () => { for await (const piece of streamed) expect(piece).toBeDefined(); })())
        .rejects.toMatchObject({ code: 'Z_BUF_ERROR' });
    }
  });

  test('a connection that breaks inside it is the fault of the connection', async () => {
    const origin = await startOrigin(partial((request, response) => response.socket.end(), {
      headers: { 'content-encoding': 'gzip', 'content-length': GZIP.length }, part: GZIP.subarray(0, 20),
    }));
    await expect((await fetch(origin.url)).text()).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test('damage is named', async () => {
    const origin = await startOrigin(encoded('gzip', damaged(GZIP, 8)));
    expect(await caught((await fetch(origin.url)).text())).toMatchObject({
      code: 'Z_DATA_ERROR', cause: { kind: 'protocol', transient: false, detail: 'gzip: incorrect data check' },
    });
  });

  test('a part that was asked for may end where it ends, as in the built-in fetch', async () => {
    const half = zlib.gzipSync(long(20 * KIB)).subarray(0, 3000);
    const [ours, theirs] = [await seen(fetch, encoded('gzip', half, 206)), await seen(builtIn, encoded('gzip', half, 206))];
    expect(ours.text.length).toBeGreaterThan(1000);
    expect(ours).toEqual(theirs);
  });

  test('too many codings reject the call', async () => {
    const origin = await startOrigin(encoded('gzip,gzip,gzip,gzip,gzip,gzip', GZIP));
    expect(await caught(fetch(origin.url))).toMatchObject({
      message: 'fetch failed', code: 'ERR_TOO_MANY_CONTENT_ENCODINGS', cause: { kind: 'protocol' },
      recovery: { gaveUp: 'not-transient' },
    });
    expect(origin.requests).toHaveLength(1);
  });
});

describe('decompress: false', () => {
  const raw = async (client, init) => {
    const origin = await startOrigin(encoded('gzip', GZIP));
    const response = await client(origin.url, init);
    return { bytes: Buffer.from(await response.bytes()), asked: origin.requests[0].headers['accept-encoding'] };
  };

  test('hands the body over as it was sent, and asks for no coding', async () => {
    for (const [client, init] of [[fetch, { decompress: false }], [createFetch({ decompress: false }), undefined]]) {
      expect(await raw(client, init)).toEqual({ bytes: GZIP, asked: undefined });
    }
  });

  test('asks for what the caller asks for', async () => {
    const headers = { 'accept-encoding': 'gzip' };
    expect(await raw(fetch, { decompress: false, headers })).toEqual({ bytes: GZIP, asked: 'gzip' });
    const { asked } = await raw(fetch, { decompress: false, headers: { range: 'bytes=0-' } });
    expect(asked).toBe('identity');
  });

  test('a call overrides its client', async () => {
    const client = createFetch({ decompress: false, maxResponseSize: GZIP.length });
    expect((await raw(client, { decompress: true, maxResponseSize: PLAIN.length * 2 })).bytes.toString()).toBe(PLAIN);
    expect(await raw(client, { retry: false })).toMatchObject({ bytes: GZIP });
    // Of the two each keeps what only the other is given for.
    await expect(raw(client, { decompress: true })).rejects.toMatchObject({ code: 'ERR_RESPONSE_TOO_LARGE' });
    expect(await raw(client, { maxResponseSize: false })).toMatchObject({ bytes: GZIP });
  });
});

describe('maxResponseSize', () => {
  const size = Buffer.byteLength(PLAIN);
  const tooLarge = { name: 'TypeError', message: 'terminated', code: 'ERR_RESPONSE_TOO_LARGE', cause: { kind: 'too-large' } };

  test.each([
    ['gzip', GZIP],
    ['br', BROTLI],
    ['identity', PLAIN],
  ])('is on what the caller gets: %s', async (encoding, body) => {
    const origin = await startOrigin(encoded(encoding, body));
    expect(await (await fetch(origin.url, { maxResponseSize: size })).text()).toBe(PLAIN);
    const response = await fetch(origin.url, { maxResponseSize: size - 1 });
    expect(response.status).toBe(200);
    const error = await caught(response.text());
    expect(error).toMatchObject(tooLarge);
    expect(error.cause.reason).toContain(`${size - 1} bytes`);
  });

  test('is that of the client unless a call has its own', async () => {
    const origin = await startOrigin(reply(200, {}, PLAIN));
    const client = createFetch({ maxResponseSize: 10 });
    await expect((await client(origin.url)).text()).rejects.toMatchObject(tooLarge);
    for (const maxResponseSize of [size, false, Infinity]) {
      expect(await (await client(origin.url, { maxResponseSize })).text()).toBe(PLAIN);
    }
  });

  test('holds for a body without a stated length, piece by piece', async () => {
    const origin = await startOrigin((request, response) => {
      response.writeHead(200);
      const more = () => { while (!response.destroyed && response.write(Buffer.alloc(64 * KIB))); };
      response.on('drain', more);
      more();
    });
    const response = await fetch(origin.url, { maxResponseSize: MIB });
    let read = 0;
    const reading = (async () => { for await (const piece of response.body) read += piece.length; })();
    await expect(reading).rejects.toMatchObject({ code: 'ERR_RESPONSE_TOO_LARGE' });
    expect(read).toBeLessThanOrEqual(MIB);
    await origin.requests[0].closed;
  });

  test('a body that states that it is larger is not transferred', async () => {
    const origin = await startOrigin((request, response) => response.writeHead(200, { 'content-length': MIB }).flushHeaders());
    await expect((await fetch(origin.url, { maxResponseSize: KIB })).text()).rejects.toMatchObject(tooLarge);
    await origin.requests[0].closed;
  });

  test('a bomb ends at it, streamed and whole', async () => {
    // 4 GiB of zeros.
    const origin = await startOrigin(encoded('zstd, gzip', zlib.gzipSync(zstdOfZeros(4096 * MIB))));
    const init = { maxResponseSize: 8 * MIB };
    await expect((await fetch(origin.url, init)).bytes()).rejects.toMatchObject(tooLarge);
    let read = 0;
    const reading = (async () => { for await (const piece of (await fetch(origin.url, init)).body) read += piece.length; })();
    await expect(reading).rejects.toMatchObject({ code: 'ERR_RESPONSE_TOO_LARGE' });
    expect(read).toBeLessThanOrEqual(8 * MIB);
  });

  test('by default a compressed body is not collected beyond 512 MiB, and streams on', async () => {
    const origin = await startOrigin(encoded('zstd', zstdOfZeros(513 * MIB)));
    const error = await caught((await fetch(origin.url)).text());
    expect(error).toMatchObject(tooLarge);
    expect(error.cause.reason).toContain(`${512 * MIB} bytes`);
    let read = 0;
    for await (const piece of (await fetch(origin.url)).body) read += piece.length;
    expect(read).toBe(513 * MIB);
  }, 60_000);

  test('while a bomb goes off, others are served', async () => {
    const bomb = await startOrigin(encoded('zstd', zstdOfZeros(128 * MIB)));
    const other = await startOrigin(ok);
    const bombs = { over: false };
    const defused = Promise.all(Array.from({ length: 4 }, async () => {
      await caught((await fetch(bomb.url, { maxResponseSize: 100 * MIB })).bytes());
    })).finally(() => { bombs.over = true; });
    let served = 0;
    while (!bombs.over) {
      expect(await (await fetch(other.url)).text()).toBe('ok');
      served += 1;
    }
    await defused;
    expect(served).toBeGreaterThan(10);
  }, 60_000);
});

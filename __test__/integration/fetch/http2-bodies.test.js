'use strict';

// Bodies over HTTP/2: flow control in both directions, aborts, and a body that breaks and goes on.

const { constants } = require('node:http2');
const { once } = require('node:events');
const { randomBytes } = require('node:crypto');

const { caught, codesOf } = require('../../support/fetch-outcomes');
const { closeHttp2Servers, echo, startHttp2Server } = require('../../support/http2-server');

const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR } = constants;

const MIB = 1 << 20;
const PIECE = Buffer.alloc(64 << 10, 'x');
/** What may be under way where nobody reads: the window of a stream (2 MiB), and what the two ends have in hand. */
const UNDER_WAY = 6 * MIB;

const QUICK = { retry: { backoff: { base: 1, cap: 2 } } };
const read = async (call) => (await call).text();

afterEach(closeHttp2Servers);

/** Writes `bytes` of x as fast as they are taken, and tells how many have been. */
function pour(stream, bytes) {
  const poured = { bytes: 0 };
  stream.respond();
  const next = () => {
    if (poured.bytes === bytes) {
      stream.end();
      return;
    }
    stream.write(PIECE, (error) => {
      if (error) return;
      poured.bytes += PIECE.length;
      next();
    });
  };
  next();
  return poured;
}

/** Waits until `count` does not change any more while `call` goes to the server and back, several times. */
async function settled(count, call) {
  let quiet = 0;
  for (let before = -1; quiet < 20; ) {
    await call();
    quiet = count() === before ? quiet + 1 : 0;
    before = count();
  }
  return count();
}

describe('a download', () => {
  test('of which nobody reads is not sent on, and others go on meanwhile', async () => {
    let poured;
    const server = await startHttp2Server((stream, headers) => {
      if (headers[':path'] === '/large') poured = pour(stream, 64 * MIB);
      else echo(stream);
    });
    const client = server.client();
    const { body } = await client(`${server.url}/large`);
    const reader = body.getReader();
    let { length } = (await reader.read()).value;
    const sent = await settled(() => poured.bytes, () => read(client(server.url)));
    expect(sent).toBeLessThan(UNDER_WAY);
    for (let part = await reader.read(); !part.done; part = await reader.read()) length += part.value.length;
    expect(length).toBe(64 * MIB);
    expect(server.sockets).toHaveLength(1);
  });

  test('of which nobody reads leaves the others their part of the session', async () => {
    const server = await startHttp2Server((stream, headers) => pour(stream, headers[':path'] === '/large' ? 4 * MIB : MIB));
    const client = server.client();
    const unread = await Promise.all(Array.from({ length: 8 }, () => client(`${server.url}/large`)));
    expect(await read(client(server.url))).toHaveLength(MIB);
    for (const response of unread) expect((await response.arrayBuffer()).byteLength).toBe(4 * MIB);
    expect(server.sockets).toHaveLength(1);
  });

  test('that is cancelled is taken from the server, and the others go on', async () => {
    const codes = [];
    const server = await startHttp2Server((stream) => {
      stream.on('close', () => codes.push(stream.rstCode));
      pour(stream, 8 * MIB);
    });
    const client = server.client();
    const [first, second] = await Promise.all([client(server.url), client(server.url)]);
    await first.body.cancel();
    expect(await second.text()).toHaveLength(8 * MIB);
    expect(codes.sort()).toEqual([NGHTTP2_NO_ERROR, NGHTTP2_CANCEL]);
    expect(server.sockets).toHaveLength(1);
  });

  test('that breaks goes on where it broke, on the same session', async () => {
    const content = randomBytes(MIB);
    const ranges = [];
    const server = await startHttp2Server((stream, headers) => {
      const first = Number(/^bytes=(\d+)-$/.exec(headers.range ?? 'bytes=0-')[1]);
      ranges.push([headers.range, headers['if-range']]);
      stream.respond({
        ':status': first === 0 ? 200 : 206,
        etag: '"v1"',
        'content-length': MIB - first,
        ...(first > 0 && { 'content-range': `bytes ${first}-${MIB - 1}/${MIB}` }),
      });
      const rest = content.subarray(first);
      if (ranges.length > 2) stream.end(rest);
      else stream.write(rest.subarray(0, 300_000), () => stream.destroy(new Error('broken')));
    });
    const response = await server.client(QUICK)(server.url);
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(bytes.equals(content)).toBe(true);
    expect(response.recovery).toMatchObject({ resumed: 2, bytesRefetched: 0 });
    expect(codesOf(response.recovery)).toEqual(['ERR_HTTP2_STREAM_ERROR', 'ERR_HTTP2_STREAM_ERROR', null]);
    expect(ranges[0]).toEqual([undefined, undefined]);
    expect(ranges[2]).toEqual([expect.stringMatching(/^bytes=\d+-$/), '"v1"']);
    expect(server.sockets).toHaveLength(1);
  });

  test('that is reset does not end as if it were whole', async () => {
    const server = await startHttp2Server((stream) => {
      stream.respond();
      stream.write('half', () => stream.destroy(new Error('broken')));
    });
    const error = await caught(read(server.client()(server.url, { resume: false })));
    expect(error).toMatchObject({ message: 'terminated', code: 'ERR_HTTP2_STREAM_ERROR' });
    expect(error.cause).toMatchObject({ kind: 'reset', phase: 'receive', delivery: 'answered', transient: true });
  });

  test('that a GOAWAY leaves out does not end as if it were whole', async () => {
    const server = await startHttp2Server((stream) => {
      stream.respond({ 'content-length': 8 * (stream.id - 1) });
      if (stream.id === 1) stream.end();
      else stream.write('half', () => stream.session.goaway(NGHTTP2_NO_ERROR, stream.id - 2));
    });
    const client = server.client();
    await read(client(server.url));
    const error = await caught(read(client(server.url, { resume: false })));
    expect(error).toMatchObject({ message: 'terminated', cause: { phase: 'receive', delivery: 'answered', transient: true } });
  });

  test('that is shorter than it was to be does not end as if it were whole, and goes on', async () => {
    const server = await startHttp2Server((stream, headers) => {
      const first = Number(/^bytes=(\d+)-$/.exec(headers.range ?? 'bytes=0-')[1]);
      const head = { ':status': first === 0 ? 200 : 206, etag: '"v1"', 'content-length': 8 - first };
      if (first > 0) head['content-range'] = `bytes ${first}-7/8`;
      stream.respond(head);
      if (server.seen.length > 2) stream.end('the body'.slice(first));
      // What Node's server does with a stream that its handler closes, whatever the code.
      else stream.write('the', () => stream.close(NGHTTP2_INTERNAL_ERROR));
    });
    const client = server.client(QUICK);
    const error = await caught(read(client(server.url, { resume: false })));
    expect(error).toMatchObject({ message: 'terminated', code: 'ERR_HTTP2_STREAM_ERROR' });
    expect(error.cause).toMatchObject({ kind: 'reset', phase: 'receive', delivery: 'answered', transient: true });
    const response = await client(server.url);
    expect([await response.text(), response.recovery.resumed]).toEqual(['the body', 1]);
    expect(server.sockets).toHaveLength(1);
  });
});

describe('an upload', () => {
  /** A stream of x, and how much of it has been asked for. */
  function source(bytes) {
    const given = { bytes: 0 };
    const body = new ReadableStream({
      pull(controller) {
        if (given.bytes === bytes) {
          controller.close();
          return;
        }
        controller.enqueue(PIECE);
        given.bytes += PIECE.length;
      },
    }, { highWaterMark: 0 });
    return { given, body };
  }

  test('that the server does not read is not read from its source either', async () => {
    let upload;
    const server = await startHttp2Server((stream, headers) => {
      if (headers[':path'] === '/large') upload = stream;
      else echo(stream);
    });
    const client = server.client();
    const { given, body } = source(32 * MIB);
    const call = client(`${server.url}/large`, { method: 'POST', body, duplex: 'half' });
    await server.came(1);
    const taken = await settled(() => given.bytes, () => read(client(server.url)));
    expect(taken).toBeLessThan(UNDER_WAY);
    let received = 0;
    for await (const piece of upload) received += piece.length;
    upload.respond();
    upload.end(String(received));
    expect(await read(call)).toBe(String(32 * MIB));
    expect(server.sockets).toHaveLength(1);
  });

  test('both ways at once', async () => {
    const server = await startHttp2Server(echo);
    const { body } = source(8 * MIB);
    expect(await read(server.client()(server.url, { method: 'POST', body, duplex: 'half' }))).toHaveLength(8 * MIB);
  });

  test('that is answered early: the answer is delivered', async () => {
    const server = await startHttp2Server((stream) => {
      stream.respond({ ':status': 413 });
      stream.end('too large');
    });
    const response = await server.client()(server.url, { method: 'POST', body: Buffer.alloc(8 * MIB) });
    expect([response.status, await response.text()]).toEqual([413, 'too large']);
  });

  test('whose source fails is taken from the server, and the others go on', async () => {
    const server = await startHttp2Server((stream, headers) => {
      if (headers[':path'] === '/') echo(stream);
      else stream.resume();
    });
    const client = server.client();
    await read(client(server.url));
    const failure = new Error('the disk is gone');
    let pulled = 0;
    const body = new ReadableStream({
      pull(controller) {
        if (pulled++ > 0) throw failure;
        controller.enqueue(PIECE);
      },
    });
    const error = await caught(client(`${server.url}/upload`, { method: 'POST', body, duplex: 'half' }));
    expect([error, error.cause]).toContain(failure);
    expect(await read(client(server.url))).toBe('');
    expect(server.sockets).toHaveLength(1);
  });
});

describe('an abort', () => {
  test.each([
    ['before the answer', false],
    ['within the body', true],
  ])('%s resets its stream and leaves the others alone', async (name, answered) => {
    const streams = [];
    const server = await startHttp2Server((stream) => {
      streams.push(stream);
      if (answered) {
        stream.respond();
        stream.write('begin');
      }
    });
    const client = server.client();
    const controller = new AbortController();
    const reason = new Error('enough');
    const aborted = client(server.url, { signal: controller.signal });
    await server.came(1);
    const other = client(server.url);
    await server.came(2);
    const outcome = caught(answered ? read(aborted) : aborted);
    if (answered) await aborted;
    controller.abort(reason);
    expect(await outcome).toBe(reason);
    if (!streams[0].closed) await once(streams[0], 'close');
    expect(streams[0].rstCode).toBe(NGHTTP2_CANCEL);
    if (!answered) streams[1].respond();
    streams[1].end('end');
    expect(await read(other)).toMatch(/end$/);
    expect(server.sockets).toHaveLength(1);
  });

  test('of calls that wait for a stream makes room for the others', async () => {
    const streams = new Map();
    const server = await startHttp2Server((stream, headers) => streams.set(headers[':path'], stream), {
      settings: { maxConcurrentStreams: 1 },
    });
    const client = server.client();
    const first = client(`${server.url}/first`);
    await server.came(1);
    const controller = new AbortController();
    const aborted = Array.from({ length: 5 }, () => caught(client(`${server.url}/aborted`, { signal: controller.signal })));
    const last = client(`${server.url}/last`);
    controller.abort();
    await Promise.all(aborted);
    streams.get('/first').respond();
    streams.get('/first').end();
    await read(first);
    // The one that was next has its stream already, and is reset when it comes.
    const paths = () => server.seen.map(({ path }) => path);
    while (!paths().includes('/last')) await server.came(server.seen.length + 1);
    streams.get('/last').respond();
    streams.get('/last').end();
    await read(last);
    expect(paths().filter((path) => path === '/aborted').length).toBeLessThanOrEqual(1);
  });
});

'use strict';

/** `download`: a Readable over HTTP that goes on where it breaks, against servers that really break. */

const { AsyncLocalStorage } = require('node:async_hooks');
const { createHash, randomBytes } = require('node:crypto');
const { once } = require('node:events');
const { Readable, Writable } = require('node:stream');
const { buffer, text } = require('node:stream/consumers');
const { pipeline } = require('node:stream/promises');
const zlib = require('node:zlib');

const { createFetch, createPolicy, download } = require('../../..');
const { closeAll, reply, startOrigin } = require('../../../testing');
const { serveBrokenFile } = require('../../support/broken-file');
const { sendPart, serveFile } = require('../../support/file-server');

const QUICK = { backoff: { base: 1, cap: 5 } };
// Not a multiple of where it breaks: a response that ends there is reset after its end.
const content = randomBytes(299_999);

afterEach(closeAll);

test('it goes on through resets, and says where and why', async () => {
  const origin = await serveBrokenFile(content, 100_000);
  const stream = download(origin.url, { retry: QUICK });
  const [resumes, progress] = [[], []];
  stream.on('resume', (event) => resumes.push(event)).on('progress', (event) => progress.push(event));
  expect(content.equals(await buffer(stream))).toBe(true);
  expect(resumes.map(({ offset }) => offset)).toEqual([100_000, 200_000]);
  expect(resumes[0].fault).toMatchObject({ code: 'ECONNRESET', kind: 'reset', phase: 'receive' });
  expect(resumes[0].delay).toBeGreaterThanOrEqual(0);
  expect(progress.at(-1)).toEqual({ bytes: content.length, total: content.length });
  expect(progress.map(({ bytes }) => bytes)).toEqual(progress.map(({ bytes }) => bytes).toSorted((a, b) => a - b));
  expect(stream).toMatchObject({ bytes: content.length, total: content.length });
  expect(stream.recovery).toMatchObject({ resumed: 2, bytesRefetched: 0 });
});

test('the response is told before its body, and is the one of fetch', async () => {
  const origin = await startOrigin(reply(200, { 'x-name': 'value' }, 'hello'));
  const stream = download(`${origin.url}/a`);
  expect(stream.response).toBeUndefined();
  const order = [];
  stream.on('response', () => order.push('response')).on('data', () => order.push('data'));
  const [response] = await once(stream, 'response');
  await once(stream, 'end');
  expect(order).toEqual(['response', 'data']);
  expect(stream.response).toBe(response);
  expect(response).toBeInstanceOf(Response);
  expect(response).toMatchObject({ status: 200, url: `${origin.url}/a`, bodyUsed: true });
  expect(response.headers.get('x-name')).toBe('value');
  await expect(response.text()).rejects.toThrow(TypeError);
});

test('the event of Node that has the same name is not told', async () => {
  const origin = await serveFile(content);
  const stream = download(origin.url);
  const told = jest.fn();
  stream.on('resume', told);
  stream.pause();
  stream.resume();
  await once(stream, 'end');
  expect(told).not.toHaveBeenCalled();
});

test('through pipeline, pipe, async iteration and as a web stream', async () => {
  const origin = await serveBrokenFile(content, 120_000);
  const pieces = [];
  const sink = () => new Writable({
    write(piece, encoding, callback) {
      pieces.push(piece);
      setImmediate(callback);
    },
  });
  await pipeline(download(origin.url, { retry: QUICK }), sink());
  expect(content.equals(Buffer.concat(pieces.splice(0)))).toBe(true);
  await once(download(origin.url, { retry: QUICK }).pipe(sink()), 'finish');
  expect(content.equals(Buffer.concat(pieces.splice(0)))).toBe(true);
  for await (const piece of download(origin.url, { retry: QUICK })) pieces.push(piece);
  expect(content.equals(Buffer.concat(pieces.splice(0)))).toBe(true);
  const web = download(origin.url, { retry: QUICK }).web();
  expect(web).toBeInstanceOf(ReadableStream);
  expect(content.equals(await buffer(web))).toBe(true);
  const byob = download(origin.url, { retry: QUICK }).web().getReader({ mode: 'byob' });
  const { value } = await byob.read(new Uint8Array(10));
  expect(Buffer.from(value)).toEqual(content.subarray(0, 10));
  await byob.cancel();
});

test('a small body, one of no bytes, and a text', async () => {
  const origin = await startOrigin((request, response) => response.end(request.path === '/none' ? '' : 'caf\u00e9'));
  expect(await text(download(origin.url).setEncoding('utf8'))).toBe('caf\u00e9');
  expect((await buffer(download(`${origin.url}/none`))).length).toBe(0);
  expect(await new Response(download(origin.url).web()).text()).toBe('caf\u00e9');
});

test('a status that is no success is an error with its code, and the response is told', async () => {
  const origin = await startOrigin(reply(404, {}, 'no such file'));
  const stream = download(origin.url);
  const told = jest.fn();
  stream.on('response', told);
  await expect(buffer(stream)).rejects.toMatchObject({ name: 'FaultError', code: 'HTTP_404', status: 404, offset: 0 });
  expect(told).toHaveBeenCalledTimes(1);
  expect(stream.response.status).toBe(404);
});

test('when there is no further attempt the error carries the offset and what was tried', async () => {
  const origin = await serveBrokenFile(content, 70_000, { times: 1, then: reply(503) });
  const stream = download(origin.url, { retry: { retries: 2, ...QUICK } });
  const read = [];
  await expect((async () => {
    for await (const piece of stream) read.push(piece);
  })()).rejects.toMatchObject({ code: 'ECONNRESET', offset: 70_000, recovery: { gaveUp: 'attempts-exhausted' } });
  expect(Buffer.concat(read)).toEqual(content.subarray(0, 70_000));
  expect(stream.destroyed).toBe(true);
});

test('a file that changed ends it, and the error says that', async () => {
  const other = randomBytes(content.length);
  const then = (request, response) => sendPart(response, other, 0, { partial: false, headers: { etag: '"v2"' } });
  const origin = await serveBrokenFile(content, 70_000, { times: 1, then });
  const failed = buffer(download(origin.url, { retry: QUICK }));
  await expect(failed).rejects.toMatchObject({
    name: 'FaultError', code: 'ERR_RESUME_CHANGED', offset: 70_000, cause: { code: 'ECONNRESET' }, recovery: { gaveUp: 'not-resumable' },
  });
});

test('a server without ranges is read from its beginning, and what came is skipped', async () => {
  const origin = await serveBrokenFile(content, 100_000, { ranges: false, times: 1, headers: { etag: '"v1"' } });
  const stream = download(origin.url, { retry: QUICK });
  expect(content.equals(await buffer(stream))).toBe(true);
  expect(stream.recovery.bytesRefetched).toBe(100_000);
});

test('without a validator it is not spliced, unless the caller trusts the server', async () => {
  const origin = await serveBrokenFile(content, 100_000, { headers: {} });
  await expect(buffer(download(origin.url, { retry: QUICK }))).rejects.toMatchObject({ code: 'ECONNRESET', recovery: { gaveUp: 'not-resumable' } });
  expect(content.equals(await buffer(download(origin.url, { retry: QUICK, resume: 'trusting' })))).toBe(true);
  await expect(buffer(download(origin.url, { retry: QUICK, resume: false }))).rejects.toMatchObject({ code: 'ECONNRESET' });
});

test('attempts count anew when bytes have come; retry: false is none', async () => {
  const origin = await serveBrokenFile(content, 22_000);
  const stream = download(origin.url, { retry: { ...QUICK, retries: 1 } });
  expect(content.equals(await buffer(stream))).toBe(true);
  expect(stream.recovery.resumed).toBe(13);
  await expect(buffer(download(origin.url, { retry: false }))).rejects.toMatchObject({ offset: 22_000 });
});

test('for ever', async () => {
  let failures = 20;
  const origin = await startOrigin((request, response) => {
    failures -= 1;
    if (failures > 0) response.socket.resetAndDestroy();
    else response.end('at last');
  });
  const retry = { retries: Infinity, within: Infinity, budget: false, ...QUICK };
  expect(await text(download(origin.url, { retry }))).toBe('at last');
});

describe('the end before the end', () => {
  /** A server whose body never ends, and says when its connection closes. */
  async function endless() {
    const closed = [];
    const origin = await startOrigin((request, response) => {
      response.writeHead(200, { etag: '"a"' });
      response.write('begin');
      closed.push(once(response, 'close'));
    });
    return { origin, closed };
  }

  test.each([
    ['destroyed', (stream) => stream.destroy(), undefined],
    ['destroyed with an error', (stream) => stream.destroy(new Error('enough')), 'enough'],
  ])('%s while it waits for bytes', async (name, end, message) => {
    const { origin, closed } = await endless();
    const stream = download(origin.url);
    const errors = [];
    stream.on('error', (error) => errors.push(error.message));
    await once(stream, 'data');
    const over = new Promise((resolve) => { stream.on('close', resolve); });
    end(stream);
    await over;
    await closed[0];
    expect(errors).toEqual(message === undefined ? [] : [message]);
  });

  test('destroyed before there is an answer, and before anything', async () => {
    const asked = deferred();
    const gone = deferred();
    const origin = await startOrigin((request, response) => {
      response.on('close', gone.resolve);
      asked.resolve();
    });
    const waiting = download(origin.url);
    await asked.promise;
    waiting.destroy();
    await gone.promise;
    const early = download(origin.url).destroy();
    await once(early, 'close');
    expect(early.errored).toBeNull();
  });

  test('by a signal, with its reason as it is, read or unread', async () => {
    const { origin, closed } = await endless();
    const reason = new Error('tired of it');
    const controller = new AbortController();
    const read = download(origin.url, { signal: controller.signal });
    const unread = download(origin.url, { signal: controller.signal });
    const ends = [read, unread].map((stream) => once(stream, 'error').then(([error]) => error));
    await Promise.all([once(read, 'data'), once(unread, 'response')]);
    controller.abort(reason);
    expect(await Promise.all(ends)).toEqual([reason, reason]);
    expect(Object.keys(reason)).toEqual([]);
    await Promise.all(closed);
    const late = download(origin.url, { signal: controller.signal });
    expect(await once(late, 'error')).toEqual([reason]);
    expect(origin.requests).toHaveLength(2);
  });

  test('by a consumer that breaks out of its loop, and by a cancelled web stream', async () => {
    const { origin, closed } = await endless();
    const pieces = download(origin.url)[Symbol.asyncIterator]();
    expect(String((await pieces.next()).value)).toBe('begin');
    // What `break` does.
    await pieces.return();
    const reader = download(origin.url).web().getReader();
    await reader.read();
    await reader.cancel();
    await Promise.all(closed);
    expect(closed).toHaveLength(2);
  });

  test('in the wait between two attempts', async () => {
    const origin = await serveBrokenFile(content, 1000);
    const stream = download(origin.url, { retry: { backoff: { base: 2 ** 30, cap: 2 ** 30 }, within: Infinity } });
    stream.resume();
    await once(stream, 'resume');
    stream.destroy();
    await once(stream, 'close');
    expect(origin.requests).toHaveLength(1);
  });
});

test('what is sent: its own headers, and no coding unless the caller asks for one', async () => {
  const zipped = zlib.gzipSync(content);
  const origin = await startOrigin((request, response) => {
    const coded = request.headers['accept-encoding'] === 'gzip';
    response.writeHead(200, { 'content-length': (coded ? zipped : content).length, ...(coded && { 'content-encoding': 'gzip' }) });
    response.end(coded ? zipped : content);
  });
  expect(content.equals(await buffer(download(origin.url, { headers: { 'x-a': 'b' } })))).toBe(true);
  expect(origin.requests[0].headers).toMatchObject({ 'accept-encoding': 'identity', 'x-a': 'b' });
  const decoded = download(origin.url, { headers: { 'Accept-Encoding': 'gzip' } });
  expect(content.equals(await buffer(decoded))).toBe(true);
  expect(decoded.total).toBeNull();
  const encoded = download(origin.url, { headers: { 'accept-encoding': 'gzip' }, decompress: false });
  expect(zipped.equals(await buffer(encoded))).toBe(true);
  expect(encoded.total).toBe(zipped.length);
});

test('through a fetch of its own, and under a policy that is shared', async () => {
  const origin = await serveBrokenFile(content, 200_000);
  const own = createFetch({ headers: { 'x-own': 'yes' }, retry: QUICK });
  expect(content.equals(await buffer(download(origin.url, { fetch: own })))).toBe(true);
  expect(origin.requests.every(({ headers }) => headers['x-own'] === 'yes')).toBe(true);
  await own.close();
  await expect(buffer(download(origin.url, { fetch: own }))).rejects.toMatchObject({ code: 'UND_ERR_CLOSED' });
  const policy = createPolicy(QUICK);
  expect(content.equals(await buffer(download(origin.url, { retry: policy })))).toBe(true);
  expect(policy.stats()[origin.url].calls).toBe(1);
});

test('timeout.body is a break like any other', async () => {
  const origin = await serveFile(content, { piece: 100_000, hold: new Promise(() => {}) });
  const stream = download(origin.url, { timeout: { body: 100 }, retry: QUICK });
  const faults = [];
  stream.on('resume', ({ fault }) => faults.push(fault.code));
  expect(content.equals(await buffer(stream))).toBe(true);
  expect(faults).toEqual(['ETIMEDOUT', 'ETIMEDOUT']);
});

test('hooks and events run in the context of whoever made the stream', async () => {
  const storage = new AsyncLocalStorage();
  const origin = await serveBrokenFile(content, 100_000);
  const seen = new Set();
  const note = (name) => () => seen.add(`${name} ${storage.getStore()}`);
  const stream = storage.run('mine', () => download(origin.url, { retry: { ...QUICK, onRetry: note('onRetry') } }));
  for (const name of ['response', 'progress', 'resume']) stream.on(name, note(name));
  await storage.run('another', () => buffer(stream));
  expect(Array.from(seen).toSorted()).toEqual(['onRetry mine', 'progress mine', 'response mine', 'resume mine']);
});

test('onRetry is told the offset too, and what it throws ends the stream', async () => {
  const origin = await serveBrokenFile(content, 100_000);
  const stream = download(origin.url, {
    retry: {
      ...QUICK,
      onRetry({ offset }) {
        throw Object.assign(new Error('not again'), { seen: offset });
      },
    },
  });
  await expect(buffer(stream)).rejects.toMatchObject({ message: 'not again', seen: 100_000 });
});

test('highWaterMark reaches the socket: a reader that stops stops the server', async () => {
  const MUCH = 48 * 1024 * 1024;
  const sent = { '/little': 0, '/much': 0 };
  const enough = deferred();
  const origin = await startOrigin((request, response) => {
    response.writeHead(200);
    const piece = Buffer.alloc(64 * 1024);
    const fill = () => {
      for (let more = true; more; sent[request.path] += piece.length) more = response.write(piece);
      if (sent['/much'] >= MUCH) enough.resolve();
    };
    response.on('drain', fill);
    fill();
  });
  const little = download(`${origin.url}/little`, { highWaterMark: 16 * 1024 });
  await once(little, 'readable');
  const much = download(`${origin.url}/much`, { highWaterMark: MUCH });
  // The server comes so far only if it is read; of the other one it had as long to send.
  await Promise.all([once(much, 'readable'), enough.promise]);
  expect(little.readableHighWaterMark).toBe(16 * 1024);
  // What the buffers of the kernel and of the engine hold.
  expect(sent['/little']).toBeLessThan(MUCH / 2);
  little.destroy();
  much.destroy();
});

test('a digest of what came through is that of the file', async () => {
  const origin = await serveBrokenFile(content, 31_337);
  const hash = createHash('sha256');
  await pipeline(download(origin.url, { retry: QUICK }), hash);
  expect(hash.digest()).toEqual(createHash('sha256').update(content).digest());
});

test('it is a Readable', async () => {
  const origin = await serveFile(content);
  const stream = download(origin.url);
  expect(stream).toBeInstanceOf(Readable);
  stream.destroy();
});

function deferred() {
  const made = {};
  made.promise = new Promise((resolve, reject) => {
    Object.assign(made, { resolve, reject });
  });
  return made;
}

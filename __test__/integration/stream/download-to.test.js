'use strict';

/** `downloadTo`: the file is there whole or not at all, and what has come of it is not lost. */

const { createHash, randomBytes } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const zlib = require('node:zlib');

const { downloadTo } = require('../../..');
const { closeAll, reply, startOrigin } = require('../../../testing');
const { serveBrokenFile } = require('../../support/broken-file');
const { sendPart, serveFile } = require('../../support/file-server');
const { removeScratch, scratch } = require('../../support/scratch');

const QUICK = { backoff: { base: 1, cap: 5 } };
// Not a multiple of where it breaks: a response that ends there is reset after its end.
const content = randomBytes(299_999);
const sri = (bytes, algorithm = 'sha256') => `${algorithm}-${createHash(algorithm).update(bytes).digest('base64')}`;

let directory;
let file;
beforeEach(() => {
  directory = scratch();
  file = path.join(directory, 'file');
});
afterEach(async () => {
  await closeAll();
  removeScratch();
});

const files = () => fs.readdirSync(directory).toSorted();
const isWhole = (expected = content) => expected.equals(fs.readFileSync(file));
/** A call that ends after 100 000 bytes, and leaves them behind. */
async function leavePart(origin, options) {
  await expect(downloadTo(origin.url, file, { retry: false, ...options })).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect(files()).toEqual(['file.part', 'file.part.json']);
}

test('through resets, with its digest, and nothing is left beside it', async () => {
  const origin = await serveBrokenFile(content, 100_000);
  const [progress, resumes] = [[], []];
  const result = await downloadTo(origin.url, file, {
    retry: QUICK, digest: sri(content), onProgress: (told) => progress.push(told), onResume: ({ offset }) => resumes.push(offset),
  });
  expect(result).toMatchObject({ path: file, bytes: content.length, continuedAt: 0, recovery: { resumed: 2 } });
  expect(result.response.status).toBe(200);
  expect(isWhole()).toBe(true);
  expect(files()).toEqual(['file']);
  expect(progress[0]).toEqual({ bytes: 0, total: content.length });
  expect(progress.at(-1)).toEqual({ bytes: content.length, total: content.length });
  expect(resumes).toEqual([100_000, 200_000]);
});

test('until it is whole there is no file, and one that is there stays', async () => {
  fs.writeFileSync(file, 'the old one');
  const origin = await serveBrokenFile(content, 100_000);
  await expect(downloadTo(origin.url, file, { retry: false })).rejects.toMatchObject({
    code: 'ECONNRESET', offset: 100_000, partial: `${file}.part`, recovery: { gaveUp: 'attempts-exhausted' },
  });
  expect(fs.readFileSync(file, 'utf8')).toBe('the old one');
  expect(content.subarray(0, 100_000).equals(fs.readFileSync(`${file}.part`))).toBe(true);
  await downloadTo(origin.url, file, { retry: QUICK });
  expect(isWhole()).toBe(true);
});

test('the next call goes on where the last one ended, and checks the digest of all of it', async () => {
  const origin = await serveBrokenFile(content, 100_000);
  await leavePart(origin);
  const result = await downloadTo(origin.url, pathToFileURL(file), { retry: QUICK, digest: sri(content, 'sha512') });
  expect(result).toMatchObject({ bytes: content.length, continuedAt: 100_000 });
  expect(origin.requests.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=100000-', 'bytes=200000-']);
  expect(origin.requests[1].headers['if-range']).toBe('"v1"');
  expect(isWhole()).toBe(true);
});

test('a part that is all there is asked about, and not transferred again', async () => {
  const origin = await serveBrokenFile(content, 100_000);
  await leavePart(origin);
  fs.writeFileSync(`${file}.part`, content);
  expect(await downloadTo(origin.url, file, { retry: QUICK })).toMatchObject({ continuedAt: content.length, recovery: { bytesRefetched: 1 } });
  expect(isWhole()).toBe(true);
});

test('a server without ranges: what came is skipped, or where nothing proves it begun anew', async () => {
  const serve = (headers) => serveBrokenFile(content, 100_000, { ranges: false, times: 1, headers });
  const tagged = await serve({ etag: '"v1"' });
  await leavePart(tagged);
  expect(await downloadTo(tagged.url, file)).toMatchObject({ continuedAt: 100_000, recovery: { bytesRefetched: 100_000 } });
  expect(isWhole()).toBe(true);
  fs.rmSync(file);
  for (const resume of ['validated', 'trusting']) {
    const untagged = await serve({});
    await leavePart(untagged);
    expect(await downloadTo(untagged.url, file, { resume })).toMatchObject({ continuedAt: 0 });
    expect(isWhole()).toBe(true);
    fs.rmSync(file);
  }
});

describe('a file that changed meanwhile', () => {
  const other = randomBytes(200_000);
  const changing = () => serveBrokenFile(content, 100_000, {
    times: 1, then: (request, response) => sendPart(response, other, 0, { partial: false, headers: { etag: '"v2"' } }),
  });

  test('between two calls is a fault, and the part is kept', async () => {
    const origin = await changing();
    await leavePart(origin);
    await expect(downloadTo(origin.url, file)).rejects.toMatchObject({
      name: 'FaultError', code: 'ERR_RESUME_CHANGED', transient: false, offset: 100_000, partial: `${file}.part`,
    });
    expect(files()).toEqual(['file.part', 'file.part.json']);
    expect(fs.statSync(`${file}.part`).size).toBe(100_000);
  });

  test('in the middle of one as well', async () => {
    const origin = await changing();
    await expect(downloadTo(origin.url, file, { retry: QUICK })).rejects.toMatchObject({
      name: 'FaultError', code: 'ERR_RESUME_CHANGED', offset: 100_000, cause: { code: 'ECONNRESET' },
    });
    expect(fs.statSync(`${file}.part`).size).toBe(100_000);
  });

  test('is begun anew where that is asked for, once', async () => {
    const origin = await changing();
    expect(await downloadTo(origin.url, file, { retry: QUICK, changed: 'restart' })).toMatchObject({ bytes: other.length, continuedAt: 0 });
    expect(isWhole(other)).toBe(true);
    let version = 0;
    const restless = await startOrigin((request, response) => {
      version += 1;
      sendPart(response, content, 0, { partial: false, headers: { etag: `"v${version}"` }, piece: 1000 });
    });
    fs.rmSync(file);
    await expect(downloadTo(restless.url, file, { retry: QUICK, changed: 'restart' })).rejects.toMatchObject({ code: 'ERR_RESUME_CHANGED' });
  });

  test('to nothing is the status of that', async () => {
    const origin = await serveBrokenFile(content, 100_000, { times: 1, then: reply(404) });
    await leavePart(origin);
    await expect(downloadTo(origin.url, file)).rejects.toMatchObject({ code: 'HTTP_404', offset: 100_000 });
    expect(files()).toEqual(['file.part', 'file.part.json']);
  });
});

describe('digests', () => {
  const digest = (algorithm, bytes = content) => createHash(algorithm).update(bytes).digest('base64');

  test.each([
    ['Content-MD5', { 'content-md5': digest('md5') }, { 'content-md5': digest('md5', 'other') }],
    ['Digest', { digest: `UNIXsum=1, SHA-256=${digest('sha256')}` }, { digest: `sha-256=${digest('sha256', 'other')}` }],
    ['Repr-Digest', { 'repr-digest': `sha-512=:${digest('sha512')}:` }, { 'repr-digest': `sha-512=:${digest('sha512', 'other')}:` }],
    ['Content-Digest', { 'content-digest': `sha-256=:${digest('sha256')}:, md5=:${digest('md5')}:` },
      { 'content-digest': `sha-256=:${digest('sha256')}:, md5=:${digest('md5', 'other')}:` }],
  ])('%s of the server is checked, also by the call that goes on', async (name, right, wrong) => {
    const origin = await serveBrokenFile(content, 100_000, { headers: { etag: '"v1"', ...right } });
    await leavePart(origin);
    expect((await downloadTo(origin.url, file, { retry: QUICK })).continuedAt).toBe(100_000);
    expect(isWhole()).toBe(true);
    fs.rmSync(file);
    const lying = await serveFile(content, { headers: { etag: '"v1"', ...wrong } });
    const failed = downloadTo(lying.url, file);
    await expect(failed).rejects.toMatchObject({ name: 'FaultError', code: 'ERR_DIGEST_MISMATCH', transient: false });
    await expect(failed).rejects.toThrow(`${name} asks for`);
    expect(files()).toEqual([]);
  });

  test('of the caller: another one is a fault, and nothing is kept that would fail again', async () => {
    const origin = await serveFile(content);
    const failed = downloadTo(origin.url, file, { digest: sri('other') });
    await expect(failed).rejects.toMatchObject({ code: 'ERR_DIGEST_MISMATCH', offset: content.length });
    await expect(failed).rejects.not.toHaveProperty('partial');
    expect(files()).toEqual([]);
  });

  test('a part that was spoilt on the disk is found out', async () => {
    const origin = await serveBrokenFile(content, 100_000);
    await leavePart(origin);
    fs.writeFileSync(`${file}.part`, randomBytes(100_000));
    await expect(downloadTo(origin.url, file, { retry: QUICK, digest: sri(content) })).rejects.toMatchObject({ code: 'ERR_DIGEST_MISMATCH' });
    expect(files()).toEqual([]);
  });
});

describe('codings', () => {
  const codings = {
    gzip: zlib.gzipSync(content),
    'x-gzip': zlib.gzipSync(content),
    deflate: zlib.deflateSync(content),
    'deflate, bare': zlib.deflateRawSync(content),
    br: zlib.brotliCompressSync(content, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 } }),
    'gzip, br': zlib.brotliCompressSync(zlib.gzipSync(content), { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 } }),
    ...(zlib.zstdCompressSync && { zstd: zlib.zstdCompressSync(content) }),
  };

  test.each(Object.entries(codings))('%s that the server insists on is undone, across two calls', async (coding, encoded) => {
    const headers = { etag: '"v1"', 'content-encoding': coding.replace(', bare', ''), 'repr-digest': `sha-256=:${createHash('sha256').update(encoded).digest('base64')}:` };
    const origin = await serveBrokenFile(encoded, 100_000, { headers });
    await leavePart(origin);
    expect(await downloadTo(origin.url, file, { retry: QUICK, digest: sri(content) })).toMatchObject({ bytes: content.length, continuedAt: 100_000 });
    expect(origin.requests[0].headers['accept-encoding']).toBe('identity');
    expect(isWhole()).toBe(true);
    expect(files()).toEqual(['file']);
  });

  test('stays where that is asked for, and where it is not known', async () => {
    const encoded = codings.gzip;
    const origin = await serveFile(encoded, { headers: { 'content-encoding': 'gzip' } });
    await downloadTo(origin.url, file, { decompress: false, digest: sri(encoded) });
    expect(isWhole(encoded)).toBe(true);
    const strange = await serveFile(content, { headers: { 'content-encoding': 'aws-chunked' } });
    await downloadTo(strange.url, file, { digest: sri(content) });
    expect(isWhole()).toBe(true);
  });

  test('that is damaged is a fault; a digest is of the file that comes of it; and none at all is an empty file', async () => {
    const damaged = Buffer.from(codings.gzip);
    damaged.fill(0, 1000, 2000);
    const origin = await serveFile(damaged, { headers: { 'content-encoding': 'gzip' } });
    await expect(downloadTo(origin.url, file)).rejects.toMatchObject({ name: 'FaultError', code: 'Z_DATA_ERROR' });
    expect(files()).toEqual([]);
    const whole = await serveFile(codings.gzip, { headers: { 'content-encoding': 'gzip' } });
    await expect(downloadTo(whole.url, file, { digest: sri(codings.gzip) })).rejects.toMatchObject({ code: 'ERR_DIGEST_MISMATCH' });
    expect(files()).toEqual([]);
    const empty = await startOrigin(reply(200, { 'content-encoding': 'gzip' }, ''));
    expect((await downloadTo(empty.url, file)).bytes).toBe(0);
    expect(fs.statSync(file).size).toBe(0);
  });
});

describe('what is there is gone on with only if it is of the same file', () => {
  test('of another URL it is not, nor of another id; of the same id at another URL it is', async () => {
    const origin = await serveBrokenFile(content, 100_000);
    await leavePart(origin, { id: 'file 42' });
    await leavePart(origin, { id: 'file 43' });
    expect(origin.requests[1].headers.range).toBeUndefined();
    expect((await downloadTo(`${origin.url}/signed?key=2`, file, { id: 'file 43', retry: QUICK })).continuedAt).toBe(100_000);
    fs.rmSync(file);
    await leavePart(origin);
    expect((await downloadTo(`${origin.url}/other`, file, { retry: QUICK })).continuedAt).toBe(0);
    fs.rmSync(file);
    await leavePart(origin);
    expect((await downloadTo(`${origin.url}/#fragment`, file, { retry: QUICK })).continuedAt).toBe(100_000);
  });

  test.each([
    ['no state', () => fs.rmSync(`${file}.part.json`)],
    ['half a state', () => fs.truncateSync(`${file}.part.json`, 20)],
    ['a state of another form', () => fs.writeFileSync(`${file}.part.json`, '{"form":0}')],
    ['no object', () => fs.writeFileSync(`${file}.part.json`, 'null')],
    ['a value that is none', () => edit((state) => { state.headers[0][1] = '"a\nb"'; })],
    ['a header that is none', () => edit((state) => { state.headers.push(['a b', 'c']); })],
    ['a part that is too long', () => fs.appendFileSync(`${file}.part`, content)],
    ['no part', () => fs.rmSync(`${file}.part`)],
  ])('with %s it is begun anew', async (name, spoil) => {
    const origin = await serveBrokenFile(content, 100_000);
    await leavePart(origin);
    spoil();
    expect((await downloadTo(origin.url, file, { retry: QUICK })).continuedAt).toBe(0);
    expect(isWhole()).toBe(true);
    expect(files()).toEqual(['file']);
  });

  test('the state says nothing that is a secret', async () => {
    const origin = await serveBrokenFile(content, 100_000, { headers: { etag: '"v1"', 'set-cookie': 'secret' } });
    await expect(downloadTo(`${origin.url}/?token=secret`, file, { retry: false, headers: { authorization: 'secret' } })).rejects.toThrow();
    expect(fs.readFileSync(`${file}.part.json`, 'utf8')).not.toContain('secret');
  });

  function edit(change) {
    const state = JSON.parse(fs.readFileSync(`${file}.part.json`, 'utf8'));
    change(state);
    fs.writeFileSync(`${file}.part.json`, JSON.stringify(state));
  }
});

test('a second download to the same path is refused, in one process too', async () => {
  let release;
  const hold = new Promise((resolve) => { release = resolve; });
  const origin = await serveFile(content, { piece: 100_000, hold });
  let begun;
  const first = new Promise((resolve) => { begun = resolve; });
  const running = downloadTo(origin.url, file, { retry: QUICK, onProgress: ({ bytes }) => { if (bytes > 0) begun(); } });
  await first;
  await expect(downloadTo(origin.url, file)).rejects.toMatchObject({ code: 'ERR_DOWNLOAD_LOCKED', kind: 'client', delivery: 'not-sent', owner: process.pid });
  release();
  await running;
  expect(isWhole()).toBe(true);
  await downloadTo(origin.url, file, { retry: QUICK });
  expect(files()).toEqual(['file']);
});

test('a part that another program lengthens is found out', async () => {
  const origin = await serveFile(content);
  let spoilt = false;
  const failed = downloadTo(origin.url, file, {
    onProgress({ bytes }) {
      if (bytes === content.length && !spoilt) fs.appendFileSync(`${file}.part`, 'more');
      spoilt ||= bytes === content.length;
    },
  });
  await expect(failed).rejects.toMatchObject({ code: 'ERR_DOWNLOAD_SIZE' });
  expect(files()).toEqual([]);
});

test('a signal ends it with its reason, and the part is kept', async () => {
  const origin = await serveFile(content, { piece: 100_000, hold: new Promise(() => {}) });
  const controller = new AbortController();
  const reason = new Error('enough');
  const onProgress = ({ bytes }) => { if (bytes >= 100_000) controller.abort(reason); };
  const failed = downloadTo(origin.url, file, { signal: controller.signal, onProgress });
  await expect(failed).rejects.toBe(reason);
  expect(Object.keys(reason)).toEqual([]);
  expect(files()).toEqual(['file.part', 'file.part.json']);
  await expect(downloadTo(origin.url, file, { signal: controller.signal })).rejects.toBe(reason);
  expect(origin.requests).toHaveLength(1);
});

test('what a hook throws ends it', async () => {
  const origin = await serveBrokenFile(content, 100_000);
  const onProgress = () => { throw new Error('of the hook'); };
  await expect(downloadTo(origin.url, file, { onProgress })).rejects.toThrow('of the hook');
  const onResume = () => { throw new Error('of the other'); };
  await expect(downloadTo(origin.url, file, { onResume, retry: QUICK })).rejects.toThrow('of the other');
});

test('what the file system says is said as it is', async () => {
  const origin = await serveFile(content);
  await expect(downloadTo(origin.url, path.join(directory, 'none', 'file'))).rejects.toMatchObject({ code: 'ENOENT', syscall: 'open' });
  fs.mkdirSync(`${file}.part`);
  await expect(downloadTo(origin.url, file)).rejects.toMatchObject({ code: 'EISDIR' });
  expect(files()).toEqual(['file.part']);
  expect(origin.requests).toHaveLength(0);
});

test('it does not write through a link', async () => {
  const target = path.join(directory, 'target');
  fs.writeFileSync(target, 'mine');
  fs.symlinkSync(target, `${file}.part`);
  const origin = await serveFile(content);
  await expect(downloadTo(origin.url, file)).rejects.toMatchObject({ code: 'ELOOP' });
  expect(fs.readFileSync(target, 'utf8')).toBe('mine');
});

test('a part that nobody asked for is refused, and of nothing nothing is left', async () => {
  const origin = await startOrigin((request, response) => sendPart(response, content, 100_000));
  await expect(downloadTo(origin.url, file)).rejects.toMatchObject({ name: 'FaultError', code: 'ERR_RESUME_RANGE' });
  await expect(downloadTo(origin.url, file, { resume: true })).rejects.toThrow('resume must be');
  expect(files()).toEqual([]);
});

test('highWaterMark and headers are those of the call; a range is its own', async () => {
  const origin = await serveFile(content);
  const pieces = [];
  let last = 0;
  await downloadTo(origin.url, file, {
    highWaterMark: 1000,
    headers: { 'x-a': 'b' },
    onProgress({ bytes }) {
      pieces.push(bytes - last);
      last = bytes;
    },
  });
  expect(origin.requests[0].headers['x-a']).toBe('b');
  expect(pieces.length).toBeGreaterThan(2);
  await expect(downloadTo(origin.url, file, { headers: { Range: 'bytes=1-' } })).rejects.toThrow('options.headers.range');
});

'use strict';

/** `downloadTo` where a server answers with what is no file, with more than it says, or with digests that are none. */

const { createHash, randomBytes } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

const { downloadTo } = require('../../..');
const { closeAll, reply, startOrigin } = require('../../../testing');
const { serveBrokenFile } = require('../../support/broken-file');
const { sendPart } = require('../../support/file-server');
const { removeScratch, scratch } = require('../../support/scratch');

const QUICK = { backoff: { base: 1, cap: 5 } };
const content = randomBytes(299_999);

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
async function leavePart(origin) {
  await expect(downloadTo(origin.url, file, { retry: false })).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect(files()).toEqual(['file.part', 'file.part.json']);
}

test.each([202, 204, 205, 304])('a %i is no file: one that is there stays', async (status) => {
  fs.writeFileSync(file, 'the old one');
  const origin = await startOrigin(reply(status));
  const failed = downloadTo(origin.url, file);
  await expect(failed).rejects.toMatchObject({ name: 'FaultError', code: `HTTP_${status}`, message: expect.stringContaining('brings no file') });
  expect((await failed.catch((error) => error)).partial).toBeUndefined();
  expect(fs.readFileSync(file, 'utf8')).toBe('the old one');
  expect(files()).toEqual(['file']);
});

test('what is there is kept until there is something in its place', async () => {
  const nothing = await serveBrokenFile(content, 100_000, { times: 1, then: reply(204) });
  await leavePart(nothing);
  await expect(downloadTo(nothing.url, file, { retry: QUICK })).rejects.toMatchObject({ code: 'HTTP_204', offset: 100_000, partial: `${file}.part` });
  expect(content.subarray(0, 100_000).equals(fs.readFileSync(`${file}.part`))).toBe(true);
});

test('a restart that fails has cost nothing', async () => {
  let answers = 0;
  const other = (request, response) => {
    answers += 1;
    if (answers > 1) reply(404)(request, response);
    else sendPart(response, content, 0, { partial: false, headers: { etag: '"v2"' } });
  };
  const changed = await serveBrokenFile(content, 100_000, { times: 1, then: other });
  await leavePart(changed);
  await expect(downloadTo(changed.url, file, { changed: 'restart' })).rejects.toMatchObject({ code: 'HTTP_404', partial: `${file}.part` });
  expect(content.subarray(0, 100_000).equals(fs.readFileSync(`${file}.part`))).toBe(true);
});

test('of a part that is longer than it says nothing is kept', async () => {
  // Says that it is the rest, and begins at the beginning.
  const whole = (request, response) => {
    const first = Number(/\d+/.exec(request.headers.range)[0]);
    response.writeHead(206, { etag: '"v1"', 'content-range': `bytes ${first}-${content.length - 1}/${content.length}` });
    response.end(content);
  };
  const origin = await serveBrokenFile(content, 100_000, { times: 1, then: whole });
  const failed = downloadTo(origin.url, file, { retry: QUICK });
  await expect(failed).rejects.toMatchObject({ code: 'ERR_RESUME_RANGE' });
  expect((await failed.catch((error) => error)).partial).toBeUndefined();
  expect(files()).toEqual([]);
});

test.each([
  ['content-md5', createHash('md5').update(content).digest('hex')],
  ['digest', `SHA-256=${createHash('sha256').update(content).digest('hex')}`],
  ['repr-digest', 'sha-256=:AAAA:'],
])('%s: what is not as long as a digest is none', async (name, value) => {
  const origin = await startOrigin((request, response) => sendPart(response, content, 0, { partial: false, headers: { [name]: value } }));
  await downloadTo(origin.url, file);
  expect(content.equals(fs.readFileSync(file))).toBe(true);
});

test('what cannot be replaced is refused before anything is asked for', async () => {
  const origin = await startOrigin(reply(200, {}, 'a'));
  fs.mkdirSync(file);
  fs.symlinkSync('/dev/null', path.join(directory, 'link'));
  for (const target of [file, path.join(directory, 'link')]) {
    await expect(downloadTo(origin.url, target)).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE', message: expect.stringContaining('path must be') });
  }
  expect(files()).toEqual(['file', 'link']);
  expect(origin.requests).toHaveLength(0);
});

test.each(['onProgress', 'onResume'])('an abort does not wait for %s', async (hook) => {
  const origin = await serveBrokenFile(content, 100_000);
  const controller = new AbortController();
  const reason = new Error('enough');
  const never = () => {
    setImmediate(() => controller.abort(reason));
    return new Promise(() => {});
  };
  await expect(downloadTo(origin.url, file, { retry: QUICK, signal: controller.signal, [hook]: never })).rejects.toBe(reason);
});

test('what a hook rejects with ends it, and it may be frozen', async () => {
  const error = Object.freeze(new Error('of the hook'));
  const origin = await serveBrokenFile(content, 100_000);
  for (const hook of ['onProgress', 'onResume']) {
    await expect(downloadTo(origin.url, file, { retry: QUICK, async [hook]() { throw error; } })).rejects.toBe(error);
  }
});

'use strict';

/** What is wrong with a call of `download`, `downloadTo` and `resumable` is said where it is made, by name. */

const { createFetch, createPolicy, download, downloadTo, resumable } = require('../../..');

const OF_CALL = [
  [{ retry: { retrys: 3 } }, 'options.retry.retrys is not an option'],
  [{ retry: -1 }, 'options.retry must be'],
  [{ headers: { 'a b': 'c' } }, 'options.headers must be named'],
  [{ headers: { a: 'line\nfeed' } }, 'options.headers["a"] must be of latin1'],
  [{ signal: {} }, 'options.signal must be'],
  [{ fetch: globalThis.fetch }, 'options.fetch must be a fetch that createFetch made'],
  [{ fetch: createFetch({ fetch: globalThis.fetch }) }, 'options.fetch must be a fetch that createFetch made'],
  [{ fetch: createFetch(), retry: createPolicy() }, 'options.retry must be options only'],
  [{ highWaterMark: 0 }, 'options.highWaterMark must be a whole number of bytes, from 1'],
  [{ highWaterMark: 2 ** 31 }, 'options.highWaterMark must be'],
  [{ decompress: 1 }, 'options.decompress must be true or false'],
  [{ onDone() {} }, 'options.onDone is not an option'],
  [{ timeout: { bodies: 1 } }, 'options.timeout.bodies is not an option'],
  [{ resume: true }, 'options.resume must be'],
];

const OF_FILES = [
  [{ digest: 7 }, 'options.digest must be a string'],
  [{ digest: 'md5-abc' }, "options.digest must be digests of the form 'sha256-...'"],
  [{ digest: '' }, 'options.digest must be digests'],
  [{ digest: 'sha256-AAAA' }, 'options.digest must be 32 bytes long for sha256'],
  [{ id: 7 }, 'options.id must be a string'],
  [{ changed: 'ignore' }, "options.changed must be 'fail' or 'restart'"],
  [{ onProgress: 7 }, 'options.onProgress must be a function'],
  [{ onResume: 7 }, 'options.onResume must be a function'],
  [{ headers: { 'If-Range': '"a"' } }, 'options.headers.if-range must be left out'],
];

test.each(OF_CALL)('download: %p', (options, message) => {
  expect(() => download('http://a.test/', options)).toThrow(message);
});

test.each([...OF_CALL, ...OF_FILES])('downloadTo: %p', async (options, message) => {
  await expect(downloadTo('http://a.test/', '/tmp/never', options)).rejects.toThrow(message);
});

test.each([
  [7, 'url must be a string or a URL'],
  ['data:text/plain,a', 'url must be an http: or https: URL'],
])('the URL %p', async (url, message) => {
  expect(() => download(url)).toThrow(message);
  await expect(downloadTo(url, 'file')).rejects.toThrow(message);
});

test.each([
  [undefined, 'path must be a string'],
  ['', 'path must be the path of a file'],
  ['a\0b', 'path must be the path of a file'],
])('the path %p', async (path, message) => {
  await expect(downloadTo('http://a.test/', path)).rejects.toThrow(message);
});

test.each([
  [{ retry: { retrys: 1 } }, 'options.retry.retrys is not an option'],
  [{ signal: 7 }, 'options.signal must be'],
  [{ highWaterMark: 1.5 }, 'options.highWaterMark must be'],
  [{ length: -1 }, 'options.length must be'],
  [{ timeout: 7 }, 'options.timeout must be an object'],
  [{ timeout: { open: 0 } }, 'options.timeout.open must be'],
  [{ timeout: { idle: '1s' } }, 'options.timeout.idle must be'],
  [{ total: 7 }, 'options.total is not an option'],
])('resumable: %p', (options, message) => {
  expect(() => resumable(() => {}, options)).toThrow(message);
});

test('resumable without a function', () => {
  expect(() => resumable(undefined)).toThrow('open must be a function');
});

test('a URL that is none is the error of the call', async () => {
  const error = await new Promise((resolve) => { download('nonsense').on('error', resolve); });
  expect(error).toMatchObject({ code: 'ERR_INVALID_URL', offset: 0 });
});

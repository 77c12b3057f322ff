'use strict';

/** Streams whose listeners throw, and web streams, whose readers listen to nothing. */

const { randomBytes } = require('node:crypto');
const { once } = require('node:events');
const { Readable } = require('node:stream');

const { download, resumable } = require('../../..');
const { closeAll, reply, startOrigin } = require('../../../testing');
const { serveBrokenFile } = require('../../support/broken-file');

const QUICK = { backoff: { base: 1, cap: 5 } };
const content = randomBytes(200_000);
const reset = () => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });

afterEach(closeAll);

test.each(['response', 'progress', 'resume', 'data'])('download: what a listener of %p throws ends the stream', async (event) => {
  const origin = await serveBrokenFile(content, 100_000);
  const thrown = reset();
  const stream = download(origin.url, { retry: QUICK }).on(event, () => { throw thrown; });
  // Not `once`: that would listen to 'error' before it rejects.
  const error = await new Promise((resolve) => { stream.on('error', resolve).resume(); });
  expect(error).toBe(thrown);
});

test('download: a listener of the response throws, and nobody reads', async () => {
  const origin = await startOrigin(reply(200, {}, 'a'));
  const stream = download(origin.url).on('response', () => { throw new Error('of the listener'); });
  expect((await once(stream, 'error').catch((error) => [error]))[0].message).toBe('of the listener');
});

test.each(['progress', 'data'])('resumable: what a listener of %p throws is no fault of the source', async (event) => {
  const open = jest.fn(({ offset }) => Readable.from([content.subarray(offset)]));
  const thrown = reset();
  const stream = resumable(open, { retry: QUICK }).on(event, () => { throw thrown; });
  const error = await new Promise((resolve) => { stream.on('error', resolve).resume(); });
  expect(error).toBe(thrown);
  expect(open).toHaveBeenCalledTimes(1);
});

test('resumable: one that was destroyed while a hook thought about it does not go on', async () => {
  let answer;
  const thinking = new Promise((resolve) => { answer = resolve; });
  let onRetry;
  const asked = new Promise((resolve) => { onRetry = () => { resolve(); return thinking; }; });
  const resumed = jest.fn();
  const stream = resumable(() => { throw reset(); }, { retry: { ...QUICK, onRetry } }).on('resume', resumed);
  stream.read(0);
  await asked;
  stream.destroy();
  await once(stream, 'close');
  answer();
  await new Promise(setImmediate);
  expect(resumed).not.toHaveBeenCalled();
});

describe('as a web stream', () => {
  test('an error that nobody has read yet does not end the process', async () => {
    const crash = jest.fn();
    process.on('uncaughtException', crash);
    const origin = await startOrigin(reply(404));
    const stream = download(origin.url);
    const web = stream.web();
    await new Promise((resolve) => { stream.on('close', resolve); });
    process.off('uncaughtException', crash);
    expect(stream.listenerCount('error')).toBe(1);
    await expect(web.getReader().read()).rejects.toMatchObject({ code: 'HTTP_404' });
    expect(crash).not.toHaveBeenCalled();
  });

  test('cancelled with an error, before anything is read', async () => {
    const stream = resumable(() => Readable.from([content]));
    await stream.web().cancel(new Error('not wanted'));
    expect(stream.errored.message).toBe('not wanted');
    expect(stream.listenerCount('error')).toBe(1);
  });

  test('the memory of a source stays its own', async () => {
    const mine = new Uint8Array(1000).fill(7);
    const source = async function* source() { yield mine; };
    const got = await new Response(resumable(() => source()).web()).arrayBuffer();
    expect(got.byteLength).toBe(1000);
    expect(mine.byteLength).toBe(1000);
  });
});

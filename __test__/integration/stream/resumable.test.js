'use strict';

/** `resumable`: any source that can be opened at an offset, as one stream. */

const { AsyncLocalStorage } = require('node:async_hooks');
const { randomBytes } = require('node:crypto');
const { once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const path = require('node:path');
const { Readable } = require('node:stream');
const { buffer, text } = require('node:stream/consumers');

const { createPolicy, resumable } = require('../../..');
const { closeAll } = require('../../../testing');
const { serveBrokenFile } = require('../../support/broken-file');
const { LocalServer, closeServers } = require('../../support/local-server');
const { removeScratch, scratch } = require('../../support/scratch');

const QUICK = { backoff: { base: 1, cap: 5 } };
const content = randomBytes(300_000);

afterEach(async () => {
  await closeAll();
  await closeServers();
  removeScratch();
});

/** As an S3 client gives it: the body, and what it is, apart. */
function objectStore({ url }) {
  return ({ offset, validator, signal }) => new Promise((resolve, reject) => {
    const headers = { range: `bytes=${offset}-`, ...(validator && { 'if-match': validator }) };
    const request = http.get(url, { headers, signal, agent: false }, (stream) => {
      const length = Number(stream.headers['content-range'].split('/')[1]);
      resolve({ stream, validator: stream.headers.etag, length });
    });
    request.on('error', reject);
  });
}

/** A server of raw bytes: a line says from where; it resets or ends every connection after `piece` bytes. */
async function fileServer(piece, end) {
  const server = new LocalServer(net.createServer((socket) => {
    socket.once('data', (line) => {
      const offset = Number(line);
      socket.write(content.subarray(offset, offset + piece), () => {
        if (offset + piece >= content.length || end === 'fin') socket.end();
        else socket.once('data', () => socket.resetAndDestroy());
      });
    });
  }));
  return server.listen();
}

test('an object store: it goes on where it broke, and says so', async () => {
  const origin = await serveBrokenFile(content, 110_000);
  const stream = resumable(objectStore(origin), { retry: QUICK });
  const resumes = [];
  stream.on('resume', (event) => resumes.push(event));
  expect(content.equals(await buffer(stream))).toBe(true);
  expect(resumes.map(({ offset }) => offset)).toEqual([110_000, 220_000]);
  expect(resumes[0]).toMatchObject({ delay: expect.any(Number), fault: { code: 'ECONNRESET', phase: 'receive' } });
  expect(stream).toMatchObject({ bytes: content.length, total: content.length, recovery: { resumed: 2, bytesRefetched: 0 } });
  expect(origin.requests.map(({ headers }) => headers['if-match'])).toEqual([undefined, '"v1"', '"v1"']);
});

test('a clean end before the end, where the length is known, is a break', async () => {
  const server = await fileServer(100_000, 'fin');
  const open = ({ offset }) => {
    const socket = net.connect(server.port, '127.0.0.1');
    socket.write(`${offset}`);
    return socket;
  };
  const stream = resumable(open, { length: content.length, retry: QUICK });
  const faults = [];
  stream.on('resume', ({ fault }) => faults.push([fault.code, fault.ending]));
  expect(content.equals(await buffer(stream))).toBe(true);
  expect(faults).toEqual([['ECONNRESET', 'fin'], ['ECONNRESET', 'fin']]);
  // Without it an end is an end.
  expect((await buffer(resumable(open))).length).toBe(100_000);
});

test('a break behind the last byte costs nothing: nothing is opened there', async () => {
  const open = jest.fn(async function* source({ offset }) {
    yield content.subarray(offset);
    throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
  });
  const stream = resumable((context) => ({ stream: open(context), length: content.length }), { retry: QUICK });
  expect(Buffer.concat(await stream.toArray()).equals(content)).toBe(true);
  expect(open).toHaveBeenCalledTimes(1);
});

test('a source that begins at its beginning says so, and what came is skipped', async () => {
  let breaks = 2;
  const open = () => {
    async function* pieces() {
      for (let at = 0; at < content.length; at += 30_000) {
        if (breaks > 0 && at === 90_000) {
          breaks -= 1;
          throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
        }
        yield content.subarray(at, at + 30_000);
      }
    }
    return { stream: pieces(), offset: 0 };
  };
  const stream = resumable(open, { retry: QUICK });
  expect(content.equals(await buffer(stream))).toBe(true);
  expect(stream.recovery).toMatchObject({ resumed: 2, bytesRefetched: 180_000 });
});

describe('what a source is', () => {
  const bytes = Buffer.from('caf\u00e9 au lait');
  test.each([
    ['a Readable', () => Readable.from([bytes])],
    ['a promise of one', async () => Readable.from([bytes])],
    ['a web stream', () => new Blob([bytes]).stream()],
    ['an async iterable', async function* open() { yield bytes; }],
    ['one of strings', async function* open() { yield 'caf\u00e9'; yield ''; yield ' au lait'; }],
    ['one of other views', async function* open() { yield new DataView(new Uint8Array(bytes).buffer); }],
    ['an object with a stream', () => ({ stream: Readable.from([bytes]) })],
    ['a file', () => fs.createReadStream(fileOf(bytes))],
  ])('%s', async (name, open) => {
    expect(await text(resumable(open))).toBe(String(bytes));
    expect(await text(resumable(open).web())).toBe(String(bytes));
  });

  test.each([
    ['undefined', () => undefined],
    ['a string', () => 'text'],
    ['an object without a stream', () => ({ validator: 'a' })],
    ['an offset that is none', () => ({ stream: Readable.from([]), offset: -1 })],
    ['a length that is none', () => ({ stream: Readable.from([]), length: '7' })],
    ['objects instead of bytes', () => Readable.from([{ a: 1 }])],
  ])('%s is a mistake, and ends it at once', async (name, wrong) => {
    const open = jest.fn(wrong);
    await expect(buffer(resumable(open, { retry: { retries: Infinity } }))).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE', offset: 0 });
    expect(open).toHaveBeenCalledTimes(1);
  });

  function fileOf(written) {
    const file = path.join(scratch(), 'file');
    fs.writeFileSync(file, written);
    return file;
  }
});

describe('errors', () => {
  const reset = () => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' });

  test('a bug of the source ends it at once, the same object, with the offset', async () => {
    const bug = new TypeError('undefined is not a function');
    const open = jest.fn(async function* pieces() {
      yield Buffer.alloc(7);
      throw bug;
    });
    const failed = buffer(resumable(open, { retry: { retries: Infinity, within: Infinity } }));
    await expect(failed).rejects.toBe(bug);
    expect(bug).toMatchObject({ offset: 7, recovery: { gaveUp: 'not-transient', resumed: 0 } });
    expect(open).toHaveBeenCalledTimes(1);
  });

  test('one that throws before there is a stream, and one that throws no error at all', async () => {
    const bug = new RangeError('of open');
    await expect(buffer(resumable(() => { throw bug; }))).rejects.toBe(bug);
    // eslint-disable-next-line no-throw-literal -- what some sources do
    const throwsText = async () => { throw 'text'; };
    await expect(buffer(resumable(throwsText))).rejects.toMatchObject({ code: 'UNKNOWN', offset: 0 });
  });

  test('after the retries the last error, with offset and recovery', async () => {
    let openings = 0;
    const last = reset();
    async function* pieces() {
      openings += 1;
      if (openings === 1) yield Buffer.alloc(5000);
      throw openings === 4 ? last : reset();
    }
    const stream = resumable(pieces, { retry: { ...QUICK, retries: 2 } });
    await expect(buffer(stream)).rejects.toMatchObject({ code: 'ECONNRESET', offset: 5000, recovery: { gaveUp: 'attempts-exhausted' } });
    expect(openings).toBe(3);
  });

  test('attempts count anew when bytes have progressed', async () => {
    const open = ({ offset }) => (async function* pieces() {
      if (offset < content.length) yield content.subarray(offset, offset + 10_000);
      if (offset + 10_000 < content.length) throw reset();
    })();
    const stream = resumable(open, { retry: { ...QUICK, retries: 1 }, length: content.length });
    expect(content.equals(await buffer(stream))).toBe(true);
    expect(stream.recovery.resumed).toBe(29);
    // A byte at a time is no progress of a body whose length nobody knows.
    const trickle = resumable(async function* pieces() {
      yield 'x';
      throw reset();
    }, { retry: { ...QUICK, retries: 5 } });
    await expect(buffer(trickle)).rejects.toMatchObject({ offset: 6 });
  });

  test('another version is never spliced on', async () => {
    let version = 0;
    const open = async function openNext() {
      version += 1;
      return {
        validator: `v${version}`,
        stream: (async function* pieces() {
          yield 'begin';
          throw reset();
        })(),
      };
    };
    await expect(buffer(resumable(open, { retry: QUICK }))).rejects.toMatchObject({ code: 'ERR_RESUME_CHANGED', offset: 5 });
    version = 0;
    await expect(buffer(resumable(open, { retry: QUICK, validator: 'v0' }))).rejects.toMatchObject({ code: 'ERR_RESUME_CHANGED', offset: 0 });
    let length = 100;
    const growing = () => ({ stream: Readable.from(['begin']), length: (length += 1) });
    await expect(buffer(resumable(growing, { retry: QUICK }))).rejects.toMatchObject({ code: 'ERR_RESUME_CHANGED', offset: 5 });
  });

  test('a source that begins too late, or brings too much, is refused', async () => {
    await expect(buffer(resumable(() => ({ stream: Readable.from(['x']), offset: 1 })))).rejects.toMatchObject({ code: 'ERR_RESUME_RANGE' });
    await expect(buffer(resumable(() => ({ stream: Readable.from(['xyz']), length: 2 })))).rejects.toMatchObject({ code: 'ERR_RESUME_RANGE' });
  });

  test('a source that does not open, or brings nothing, is opened once more', async () => {
    const signals = [];
    const never = new Promise(() => {});
    const late = jest.fn();
    const open = ({ attempt, signal, lastFault }) => {
      signals.push(signal);
      if (attempt === 1) return never;
      expect(lastFault.code).toBe('ETIMEDOUT');
      if (attempt === 2) return new Readable({ read() {}, destroy(error, callback) { late(); callback(error); } });
      return Readable.from(['at last']);
    };
    const stream = resumable(open, { timeout: { open: 50, idle: 50 }, retry: QUICK });
    const faults = [];
    stream.on('resume', ({ fault }) => faults.push(`${fault.code} ${fault.phase}`));
    expect(await text(stream)).toBe('at last');
    expect(faults).toEqual(['ETIMEDOUT connect', 'ETIMEDOUT receive']);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true]);
    expect(late).toHaveBeenCalled();
  });
});

describe('the end before the end', () => {
  /** A source that waits for ever, and says when it is closed. */
  function waiting() {
    const closed = jest.fn();
    const open = () => new Readable({
      read() {
        if (!this.begun) this.push('begin');
        this.begun = true;
      },
      destroy(error, callback) {
        closed();
        callback(error);
      },
    });
    return { open, closed };
  }

  test('destroyed while it opens, reads, waits, or before', async () => {
    const { open, closed } = waiting();
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    let opening;
    const early = resumable(open).destroy();
    await once(early, 'close');
    expect(closed).not.toHaveBeenCalled();

    const reading = resumable(open);
    await once(reading, 'data');
    reading.destroy();
    await once(reading, 'close');
    await untilCalled(closed);

    let give;
    const isOpening = new Promise((tell) => {
      opening = resumable(() => new Promise((resolve) => {
        give = resolve;
        tell();
      }));
    });
    opening.resume();
    await isOpening;
    opening.destroy();
    await once(opening, 'close');
    const late = open();
    give(late);
    await once(late, 'close');

    const between = resumable(() => Promise.reject(Object.assign(new Error('x'), { code: 'ECONNREFUSED' })), { retry: { backoff: { base: 2 ** 30, cap: 2 ** 30 }, within: Infinity } });
    between.resume();
    await once(between, 'resume');
    between.destroy();
    await once(between, 'close');

    // Neither a timer nor anything else is left that would keep the process alive.
    const hung = resumable(() => ({ stream: { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) } }));
    hung.resume();
    await new Promise((resolve) => { setImmediate(resolve); });
    hung.destroy();
    await once(hung, 'close');
    await new Promise((resolve) => { setImmediate(resolve); });
    expect(timers()).toBe(before);
  });

  test('by a signal, with its reason', async () => {
    const { open, closed } = waiting();
    const controller = new AbortController();
    const reason = new Error('enough');
    const stream = resumable(open, { signal: controller.signal });
    await once(stream, 'data');
    controller.abort(reason);
    expect(await once(stream, 'error')).toEqual([reason]);
    expect(Object.keys(reason)).toEqual([]);
    await untilCalled(closed);
    const late = jest.fn();
    const dead = resumable(late, { signal: controller.signal });
    expect(await once(dead, 'error')).toEqual([reason]);
    expect(late).not.toHaveBeenCalled();
  });

  function untilCalled(mock) {
    return new Promise((resolve) => {
      const check = () => (mock.mock.calls.length > 0 ? resolve() : setImmediate(check));
      check();
    });
  }
});

test('it reads no further ahead than highWaterMark', async () => {
  let given = 0;
  const open = async function* pieces() {
    for (; given < 1000; given += 1) yield Buffer.alloc(1000);
  };
  const stream = resumable(open, { highWaterMark: 10_000 });
  await once(stream, 'readable');
  await new Promise((resolve) => { setImmediate(resolve); });
  expect(given).toBeLessThanOrEqual(12);
  expect((await buffer(stream)).length).toBe(1_000_000);
});

test('hooks, open and events run in the context of whoever made it, under a policy that is shared', async () => {
  const storage = new AsyncLocalStorage();
  const seen = new Set();
  const note = (name) => seen.add(`${name} ${storage.getStore()}`);
  const policy = createPolicy({ ...QUICK, onRetry: ({ offset }) => note(`onRetry at ${offset}`) });
  let openings = 0;
  const open = async function* pieces() {
    note('open');
    openings += 1;
    yield 'half';
    if (openings === 1) throw Object.assign(new Error('x'), { code: 'ECONNRESET' });
  };
  const recovered = new Promise((resolve) => { policy.once('recovered', resolve); });
  const stream = storage.run('mine', () => resumable(open, { retry: policy }));
  stream.on('resume', () => note('resume'));
  expect(await storage.run('another', () => text(stream))).toBe('halfhalf');
  expect(Array.from(seen).toSorted()).toEqual(['onRetry at 4 mine', 'open mine', 'resume mine']);
  expect(await recovered).toMatchObject({ surface: 'resumable' });
});

test('a breaker that is open refuses it', async () => {
  const policy = createPolicy({ retries: 0, breaker: { minCalls: 1, failureRate: 0.1 } });
  const refused = () => Promise.reject(Object.assign(new Error('x'), { code: 'ECONNREFUSED' }));
  await expect(buffer(resumable(refused, { retry: policy }))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  const open = jest.fn();
  await expect(buffer(resumable(open, { retry: policy }))).rejects.toMatchObject({ code: 'ERR_BREAKER_OPEN' });
  expect(open).not.toHaveBeenCalled();
});

'use strict';

const { Readable } = require('node:stream');

const { fetch } = require('../../..');
const { closeAll, ok, rst, startOrigin } = require('../../../testing');
const { readInto } = require('../../../lib/testing/origin');
const { caught, codesOf } = require('../../support/fetch-outcomes');
const { untilQuiet } = require('../../support/fetch-quiet');

const KIB = 1024;

afterEach(closeAll);

const bytes = (...values) => Uint8Array.from(values);

describe('a source that fails', () => {
  const failure = Object.assign(new Error('disk on fire'), { code: 'EIO' });

  /** One piece, then the failure. */
  const sources = [
    ['a ReadableStream', () => {
      let pieces = 0;
      return new ReadableStream({
        pull(controller) {
          if (pieces++ === 0) controller.enqueue(bytes(1));
          else controller.error(failure);
        },
      });
    }],
    ['an async generator', async function* source() {
      yield bytes(1);
      throw failure;
    }],
    ['a Node Readable', () => {
      let pieces = 0;
      return new Readable({
        read() {
          if (pieces++ === 0) this.push('x');
          else this.destroy(failure);
        },
      });
    }],
  ];

  test.each([
    ...sources.map(([name, make]) => [name, (url, init) => fetch(url, { ...init, body: make() })]),
    ...sources.map(([name, make]) => [`a Request with ${name}`, (url, init) => fetch(new Request(url, { ...init, body: make() }))]),
    ...sources.map(([name, make]) => [`a function that returns ${name}`, (url, init) => fetch(url, { ...init, body: make })]),
  ])('%s: the caller gets what it failed with as cause', async (name, call) => {
    const origin = await startOrigin(ok);
    const error = await caught(call(origin.url, { method: 'PUT', duplex: 'half' }));
    expect(error.name).toBe('TypeError');
    expect(error.cause).toBe(failure);
    expect(error.code).toBe('EIO');
    expect(error.stack).toContain(__filename);
    // It would fail again: no second attempt, and the server saw no complete request.
    const delivery = origin.requests.length === 0 ? expect.stringMatching(/^(not-sent|unknown)$/) : 'unknown';
    const fault = { code: 'ERR_BODY_SOURCE_FAILED', kind: 'client', phase: 'send', delivery, transient: false };
    expect(error.recovery).toMatchObject({ attempts: [{ fault, delay: 0 }], gaveUp: 'not-transient' });
    expect(origin.requests.filter(({ complete }) => complete)).toHaveLength(0);
    expect(origin.requests.length).toBeLessThanOrEqual(1);
  });

  test('a function that fails in a later attempt: the attempts before are told as well', async () => {
    const origin = await startOrigin(rst);
    let readings = 0;
    const body = () => {
      if (readings++ > 0) throw failure;
      return 'x';
    };
    const error = await caught(fetch(origin.url, { method: 'PUT', body, retry: { backoff: { base: 1, cap: 1 } } }));
    expect(error.cause).toBe(failure);
    expect(codesOf(error.recovery)).toEqual(['ECONNRESET', 'ERR_BODY_SOURCE_FAILED']);
    expect(origin.requests.filter(({ complete }) => complete)).toHaveLength(1);
  });

  test('a function that throws: the same', async () => {
    const origin = await startOrigin(ok);
    const body = () => {
      throw failure;
    };
    await expect(fetch(origin.url, { method: 'PUT', body })).rejects.toMatchObject({ cause: failure });
  });

  test('a piece that is no bytes is named', async () => {
    const origin = await startOrigin(ok);
    const call = fetch(origin.url, { method: 'PUT', body: ReadableStream.from([7]), duplex: 'half' });
    await expect(call).rejects.toMatchObject({
      name: 'TypeError',
      cause: expect.objectContaining({ message: expect.stringMatching(/yield bytes/) }),
    });
  });
});

describe('a stream under way', () => {
  test('is not drained ahead of a server that does not read', async () => {
    const PIECE = Buffer.alloc(64 * KIB);
    // More than the socket buffers of both ends can take.
    const PIECES = 1024;
    let pulled = 0;
    const body = new ReadableStream({
      pull(controller) {
        pulled += 1;
        controller.enqueue(new Uint8Array(PIECE));
        if (pulled === PIECES) controller.close();
      },
    }, { highWaterMark: 0 });
    let answerNow;
    const mayRead = new Promise((resolve) => {
      answerNow = resolve;
    });
    const origin = await startOrigin(async (request, response) => {
      await mayRead;
      let size = 0;
      for await (const chunk of request.incoming) size += chunk.length;
      response.end(String(size));
    }, { readBody: false });

    const call = fetch(origin.url, { method: 'POST', body, duplex: 'half' });
    await origin.received(0);
    await untilQuiet(() => pulled);
    expect(pulled).toBeLessThan(PIECES / 2);
    answerNow();
    expect(await (await call).text()).toBe(String(PIECES * PIECE.length));
    expect(pulled).toBe(PIECES);
  });

  test('is sent as it comes, not when it is complete', async () => {
    let controller;
    const body = new ReadableStream({
      start(own) {
        controller = own;
      },
    });
    const origin = await startOrigin(async (request, response) => {
      for await (const chunk of request.incoming) {
        if (String(chunk) === 'first') controller.enqueue(Buffer.from('second'));
        if (String(chunk) === 'second') controller.close();
      }
      response.end('both');
    }, { readBody: false });
    const call = fetch(origin.url, { method: 'POST', body, duplex: 'half' });
    controller.enqueue(Buffer.from('first'));
    expect(await (await call).text()).toBe('both');
  });

  const ENDLESS = [
    ['a ReadableStream', (onCancel) => new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(KIB)),
      cancel: onCancel,
    })],
    ['an async generator', async function* endless(onCancel) {
      try {
        for (;;) yield new Uint8Array(KIB);
      } finally {
        onCancel();
      }
    }],
    ['a Node Readable', (onCancel) => new Readable({
      read() {
        this.push(Buffer.alloc(KIB));
      },
      destroy(error, done) {
        onCancel();
        done(null);
      },
    })],
    ['a function', (onCancel) => () => new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(KIB)),
      cancel: onCancel,
    })],
  ];

  test.each(ENDLESS)('%s is cancelled when the call is aborted', async (name, make) => {
    const origin = await startOrigin(readInto, { readBody: false });
    const controller = new AbortController();
    const reason = new Error('enough');
    await new Promise((cancelled, failed) => {
      const body = make(cancelled);
      const call = fetch(origin.url, { method: 'POST', body, duplex: 'half', signal: controller.signal });
      call.then(() => failed(new Error('it was answered')), (error) => error === reason || failed(error));
      origin.received(0).then(() => controller.abort(reason));
    });
    await (await origin.received(0)).closed;
  });

  test.each([
    ['a stream', (url, body, init) => fetch(url, { ...init, body })],
    ['the stream of a Request', (url, body, init) => fetch(new Request(url, { ...init, body }), { signal: init.signal })],
    ['a stream of known length', (url, body, init) => fetch(url, { ...init, body, headers: { 'content-length': '9' } })],
  ])('%s that has nothing to give is cancelled at once', async (name, start) => {
    const origin = await startOrigin(readInto, { readBody: false });
    const controller = new AbortController();
    const cancelled = new Promise((resolve) => {
      const body = new ReadableStream({
        start: (own) => own.enqueue(bytes(1)),
        pull: () => new Promise(() => {}),
        cancel: resolve,
      });
      start(origin.url, body, { method: 'POST', duplex: 'half', signal: controller.signal }).catch(() => {});
    });
    await origin.received(0);
    controller.abort('enough');
    expect(await cancelled).toBe('enough');
  });

  test.each(ENDLESS)('%s is cancelled when the server resets the connection', async (name, make) => {
    const origin = await startOrigin(rst, { readBody: false });
    let call;
    await new Promise((cancelled) => {
      call = fetch(origin.url, { method: 'POST', body: make(cancelled), duplex: 'half' });
      call.catch(() => {});
    });
    await expect(call).rejects.toMatchObject({ code: expect.stringMatching(/^(ECONNRESET|EPIPE)$/) });
    expect(origin.requests).toHaveLength(1);
  });

  test.each(ENDLESS)('%s is cancelled when the server answers and hangs up before it is all sent', async (name, make) => {
    const origin = await startOrigin((request, response) => {
      const { socket } = response;
      response.writeHead(413, { connection: 'close', 'content-length': 0 });
      response.end(() => socket.destroySoon());
    }, { readBody: false });
    let call;
    await new Promise((cancelled) => {
      call = fetch(origin.url, { method: 'POST', body: make(cancelled), duplex: 'half', retry: false });
      call.catch(() => {});
    });
    // The answer and the end of the connection race; whoever wins, it is told truthfully.
    const settled = await call.catch((error) => error);
    if (settled instanceof Response) expect(settled.status).toBe(413);
    else expect(settled.code).toMatch(/^(ECONNRESET|EPIPE)$/);
  });
});

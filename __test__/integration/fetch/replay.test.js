'use strict';

const { Readable } = require('node:stream');

const { fetch } = require('../../..');
const { FaultProxy, closeAll, inTurn, ok, rst, startOrigin } = require('../../../testing');
const { caught, codesOf } = require('../../support/fetch-outcomes');

const MIB = 1024 * 1024;

/** Waits too short to notice. */
const QUICK = { backoff: { base: 1, cap: 2 } };

afterEach(closeAll);

describe('the body of the second attempt is that of the first', () => {
  const form = () => {
    const made = new FormData();
    made.append('a', 'ü');
    made.append('f', new Blob([Uint8Array.of(0, 255)]), 'f.bin');
    return made;
  };
  const stream = () => new ReadableStream({
    start(controller) {
      controller.enqueue(Buffer.from('stre'));
      controller.enqueue(Buffer.from('amed'));
      controller.close();
    },
  });

  test.each([
    ['a string', () => 'grüße'],
    ['an empty string', () => ''],
    ['a Uint8Array', () => Uint8Array.of(0, 1, 255)],
    ['a large Buffer', () => Buffer.alloc(3 * MIB, 'abc')],
    ['an ArrayBuffer', () => Uint8Array.of(1, 2).buffer],
    ['a Blob', () => new Blob(['blob'], { type: 'a/b' })],
    ['a large Blob', () => new Blob([Buffer.alloc(3 * MIB, 'xyz')])],
    ['a File', () => new File(['file'], 'n')],
    ['a FormData', form],
    ['a URLSearchParams', () => new URLSearchParams({ a: '1 2' })],
    ['a small stream', stream],
    ['a stream of almost 1 MiB', () => Readable.toWeb(Readable.from([Buffer.alloc(MIB - 1, 'q')]))],
    ['an async iterable', () => Readable.from(['no', 'de'])],
    ['a function', () => stream],
    ['a function of much', () => () => new Blob([Buffer.alloc(3 * MIB, 'f')]).stream()],
  ])('%s', async (name, make) => {
    const origin = await startOrigin(inTurn(rst, ok));
    const response = await fetch(origin.url, { method: 'PUT', body: make(), duplex: 'half', retry: QUICK });
    expectSameTwice(origin, response);
  });

  test.each([
    ['a string', () => 'grüße'],
    ['a long string', () => 'ü'.repeat(MIB)],
    ['a Blob', () => new Blob(['blob'], { type: 'a/b' })],
    ['a FormData', form],
    ['a small stream', stream],
  ])('a Request with %s', async (name, make) => {
    const origin = await startOrigin(inTurn(rst, ok));
    const request = new Request(origin.url, { method: 'PUT', body: make(), duplex: 'half' });
    expectSameTwice(origin, await fetch(request, { retry: QUICK }));
  });

  function expectSameTwice({ requests }, response) {
    expect(response.status).toBe(200);
    expect(requests).toHaveLength(2);
    const [first, second] = requests;
    expect(first.complete && second.complete).toBe(true);
    expect(second.body.equals(first.body)).toBe(true);
    for (const header of ['content-type', 'content-length', 'transfer-encoding']) {
      expect(second.headers[header]).toBe(first.headers[header]);
    }
  }

  test('a function is called for each attempt', async () => {
    const origin = await startOrigin(inTurn(rst, rst, ok));
    let opened = 0;
    await fetch(origin.url, {
      method: 'PUT',
      retry: QUICK,
      body: () => {
        opened += 1;
        return `opened ${opened}`;
      },
    });
    expect(origin.requests.map(({ body }) => body.toString())).toEqual(['opened 1', 'opened 2', 'opened 3']);
  });

  test('a stream that the first attempt had half sent is sent from its beginning', async () => {
    let controller;
    const body = new ReadableStream({
      start(own) {
        controller = own;
      },
    });
    const origin = await startOrigin(async (request, response) => {
      let text = '';
      for await (const chunk of request.incoming) {
        text += chunk;
        if (request.index === 0) {
          rst(request, response);
          return;
        }
        if (text === 'first') {
          controller.enqueue(Buffer.from(' second'));
          controller.close();
        }
      }
      response.end(text);
    }, { readBody: false });
    controller.enqueue(Buffer.from('first'));
    const response = await fetch(origin.url, { method: 'PUT', body, duplex: 'half', retry: QUICK });
    expect(await response.text()).toBe('first second');
    expect(codesOf(response.recovery)).toEqual(['ECONNRESET', null]);
  });

  test('a stream of more than 1 MiB is not kept: one attempt, and the error says why', async () => {
    const origin = await startOrigin(rst);
    const body = Readable.from([Buffer.alloc(MIB), Buffer.alloc(1)]);
    const error = await caught(fetch(origin.url, { method: 'PUT', body, duplex: 'half', retry: QUICK }));
    expect(error.recovery.gaveUp).toBe('body-not-replayable');
    expect(origin.requests.map((request) => request.body.length)).toEqual([MIB + 1]);
  });

  test('a stream that was refused has not been read: it may be as long as it likes', async () => {
    const origin = await startOrigin();
    const proxy = await FaultProxy.listen({ upstream: origin.port });
    const outage = proxy.add({ type: 'refuse', on: 'accept' });
    const body = Readable.from([Buffer.alloc(MIB), Buffer.alloc(MIB)]);
    const retry = { ...QUICK, onRetry: () => outage.remove() };
    await fetch(proxy.url(), { method: 'POST', body, duplex: 'half', retry });
    expect(origin.requests.map((request) => request.body.length)).toEqual([2 * MIB]);
  });
});

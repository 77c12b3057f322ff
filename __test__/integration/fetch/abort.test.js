'use strict';

const net = require('node:net');
const { once, getEventListeners } = require('node:events');
const { setImmediate: nextTurn } = require('node:timers/promises');

const { fetch, contenders } = require('../../support/fetch-contenders');
const { createFetch } = require('../../..');
const { closeAll, inTurn, ok, openBlackHole, partial, reply, rst, silence, startOrigin } = require('../../../testing');
const { readInto } = require('../../../lib/testing/origin');

afterEach(closeAll);

const never = partial(silence, { headers: {} });

/** What the caller passes to `abort()`, and what is expected to be thrown for it. */
const REASONS = [
  ['an Error', new Error('own')],
  ['a string', 'because'],
  ['a number', 0],
  ['null', null],
  ['an object', { any: 'thing' }],
];

/** A server that accepts connections and says nothing, so that no TLS handshake ends. */
async function startMute() {
  const server = net.createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const connected = once(server, 'connection');
  return {
    url: `https://127.0.0.1:${server.address().port}`,
    connected,
    async close() {
      (await connected)[0].destroy();
      server.close();
    },
  };
}

describe.each(contenders)('%s', (contender, call) => {
  /** Aborts when `when` has come, and tells what the call was rejected with. */
  async function abortedAt(when, start, reason) {
    const controller = new AbortController();
    const rejected = start(controller.signal).then(
      () => {
        throw new Error('it was not aborted');
      },
      (error) => error,
    );
    await when();
    if (reason === undefined) controller.abort();
    else controller.abort(reason);
    return rejected;
  }

  test.each(REASONS)('the reason comes back as it is: %s', async (name, reason) => {
    const origin = await startOrigin(silence);
    const thrown = await abortedAt(() => origin.received(0), (signal) => call(origin.url, { signal }), reason);
    expect(thrown).toBe(reason);
    await (await origin.received(0)).closed;
  });

  test('without a reason it is an AbortError', async () => {
    const origin = await startOrigin(silence);
    const thrown = await abortedAt(() => origin.received(0), (signal) => call(origin.url, { signal }));
    expect(thrown).toMatchObject({ name: 'AbortError', code: DOMException.ABORT_ERR });
  });

  test('before it began: nothing is sent', async () => {
    const origin = await startOrigin(ok);
    const reason = new Error('never');
    const signal = AbortSignal.abort(reason);
    await expect(call(origin.url, { signal })).rejects.toBe(reason);
    await expect(call(new Request(origin.url, { signal }))).rejects.toBe(reason);
    await expect(call(origin.url, { signal, method: 'POST', body: 'b' })).rejects.toBe(reason);
    await call(origin.url);
    expect(origin.requests).toHaveLength(1);
  });

  test('in the same turn: rejected at once', async () => {
    const origin = await startOrigin(silence);
    const controller = new AbortController();
    const rejected = call(origin.url, { signal: controller.signal });
    controller.abort('at once');
    await expect(rejected).rejects.toBe('at once');
  });

  test('while TCP connects', async () => {
    const hole = await openBlackHole();
    try {
      const start = (signal) => call(`http://127.0.0.1:${hole.port}`, { signal });
      expect(await abortedAt(nextTurn, start, 'hopeless')).toBe('hopeless');
    } finally {
      await hole.close();
    }
  });

  test('in the TLS handshake', async () => {
    const mute = await startMute();
    const start = (signal) => call(mute.url, { signal });
    expect(await abortedAt(() => mute.connected, start, 'mute')).toBe('mute');
    await mute.close();
  });

  test('by a timeout', async () => {
    const origin = await startOrigin(silence);
    await expect(call(origin.url, { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({ name: 'TimeoutError' });
    await (await origin.received(0)).closed;
  });

  test('by any of several', async () => {
    const origin = await startOrigin(silence);
    const controller = new AbortController();
    const signal = AbortSignal.any([AbortSignal.timeout(60_000), controller.signal]);
    origin.received(0).then(() => controller.abort('one of them'));
    await expect(call(origin.url, { signal })).rejects.toBe('one of them');
  });

  test('by the signal of a Request', async () => {
    const origin = await startOrigin(silence);
    const start = (signal) => call(new Request(origin.url, { signal }));
    expect(await abortedAt(() => origin.received(0), start, 'of the request')).toBe('of the request');
  });

  test('signal: null in init takes that of the Request away', async () => {
    const origin = await startOrigin(ok);
    const response = await call(new Request(origin.url, { signal: AbortSignal.abort() }), { signal: null });
    expect(response.status).toBe(200);
  });

  describe('in the body', () => {
    async function respond(signal) {
      const origin = await startOrigin(never);
      return [origin, await call(origin.url, { signal })];
    }

    test.each(['text', 'json', 'arrayBuffer', 'blob'])('%s() that waits', async (read) => {
      const controller = new AbortController();
      const [origin, response] = await respond(controller.signal);
      const reading = response[read]();
      controller.abort('enough');
      await expect(reading).rejects.toBe('enough');
      await (await origin.received(0)).closed;
    });

    test('a read of the stream that waits, and those after it', async () => {
      const controller = new AbortController();
      const [origin, response] = await respond(controller.signal);
      const reader = response.body.getReader();
      expect(Buffer.from((await reader.read()).value).toString()).toBe('partial');
      const waiting = reader.read();
      controller.abort('enough');
      await expect(waiting).rejects.toBe('enough');
      await expect(reader.read()).rejects.toBe('enough');
      await expect(reader.closed).rejects.toBe('enough');
      await (await origin.received(0)).closed;
    });

    test('both sides of a clone', async () => {
      const controller = new AbortController();
      const [, response] = await respond(controller.signal);
      const both = [response.clone().text(), response.text()];
      controller.abort('both');
      for (const each of both) await expect(each).rejects.toBe('both');
    });
  });

  test('after everything was read it changes nothing', async () => {
    const origin = await startOrigin(reply(200, {}, 'read'));
    const controller = new AbortController();
    const response = await call(origin.url, { signal: controller.signal });
    expect(await response.text()).toBe('read');
    controller.abort();
    expect(response.status).toBe(200);
    expect(response.bodyUsed).toBe(true);
  });
});

describe('where the built-in fetch leaves something behind', () => {
  test('before it began, with a form: nothing else is thrown', async () => {
    const origin = await startOrigin(ok);
    const init = { signal: AbortSignal.abort('never'), method: 'POST', body: new FormData() };
    await expect(fetch(origin.url, init)).rejects.toBe('never');
    await (await fetch(origin.url)).text();
    expect(origin.requests).toHaveLength(1);
  });

  test('in the TLS handshake: the connection ends', async () => {
    const mute = await startMute();
    const controller = new AbortController();
    const rejected = expect(fetch(mute.url, { signal: controller.signal })).rejects.toBe('mute');
    const [socket] = await mute.connected;
    controller.abort('mute');
    await rejected;
    await new Promise((resolve) => {
      socket.resume().on('close', resolve);
    });
    await mute.close();
  });

  test('a body that nobody has read yet: the transfer ends, and who reads then learns why', async () => {
    const origin = await startOrigin(never);
    const controller = new AbortController();
    const response = await fetch(origin.url, { signal: controller.signal });
    const { body } = await fetch(origin.url, { signal: controller.signal });
    controller.abort('unread');
    await Promise.all([0, 1].map(async (index) => (await origin.received(index)).closed));
    await expect(response.text()).rejects.toBe('unread');
    await expect(body.getReader().read()).rejects.toBe('unread');
  });

  test('a request stream is cancelled with the reason', async () => {
    const origin = await startOrigin(readInto, { readBody: false });
    const controller = new AbortController();
    const cancelled = new Promise((resolve) => {
      const body = new ReadableStream({
        async pull(pulling) {
          await nextTurn();
          pulling.enqueue(new Uint8Array(1024));
        },
        cancel: resolve,
      });
      const { signal } = controller;
      fetch(origin.url, { method: 'POST', duplex: 'half', body, signal }).catch(() => {});
    });
    await origin.received(0);
    controller.abort('for the source');
    expect(await cancelled).toBe('for the source');
  });
});

describe('between attempts', () => {
  /** Aborts as soon as a wait of 30 s has begun. */
  async function inBackoff(start) {
    const origin = await startOrigin(inTurn(reply(503, { 'retry-after': '30' }), ok));
    const controller = new AbortController();
    const began = Date.now();
    const onRetry = ({ delay }) => {
      expect(delay).toBeGreaterThanOrEqual(30_000);
      setImmediate(() => controller.abort('not that long'));
    };
    await expect(start(origin.url, { signal: controller.signal, retry: { onRetry } })).rejects.toBe('not that long');
    expect(Date.now() - began).toBeLessThan(10_000);
    expect(origin.requests).toHaveLength(1);
  }

  test('the wait ends', () => inBackoff(fetch));

  test('also of a client of one\'s own', () => inBackoff(createFetch()));

  test.each(['onRetry', 'shouldRetry'])('while %s is pending', async (hook) => {
    const origin = await startOrigin(rst);
    const controller = new AbortController();
    const pending = () => {
      controller.abort('in the hook');
      return new Promise(() => {});
    };
    await expect(fetch(origin.url, { signal: controller.signal, retry: { [hook]: pending } })).rejects.toBe('in the hook');
    expect(origin.requests).toHaveLength(1);
  });
});

describe('one signal for 2000 calls', () => {
  const COUNT = 2000;
  const warnings = [];
  const warned = (warning) => warnings.push(String(warning));

  beforeEach(() => process.on('warning', warned));
  afterEach(() => process.off('warning', warned));

  test('that all succeed: one listener at a time, none in the end, no warning', async () => {
    const origin = await startOrigin(ok);
    const { signal } = new AbortController();
    let most = 0;
    const calls = Array.from({ length: COUNT }, async () => {
      const response = await fetch(origin.url, { signal });
      most = Math.max(most, getEventListeners(signal, 'abort').length);
      return response.text();
    });
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['ok']));
    expect(most).toBeLessThanOrEqual(1);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect(warnings).toEqual([]);
  });

  test('that are all aborted: each with the reason, and no listener is left', async () => {
    const origin = await startOrigin(silence);
    const controller = new AbortController();
    const calls = Array.from({ length: COUNT }, () => fetch(origin.url, { signal: controller.signal }));
    await origin.received(0);
    controller.abort('all of you');
    const settled = await Promise.allSettled(calls);
    expect(settled.every(({ reason }) => reason === 'all of you')).toBe(true);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    expect(warnings).toEqual([]);
  });

  test.each([
    ['that fail', (origin, signal) => fetch(origin.url, { signal, retry: false })],
    ['with wrong input', (origin, signal) => fetch(origin.url, { signal, body: 'of a GET' })],
    ['with a URL that is none', (origin, signal) => fetch('http://', { signal })],
    ['with a body that fails', (origin, signal) => fetch(origin.url, { signal, method: 'POST', body: () => 7 })],
  ])('%s: no listener is left', async (name, start) => {
    const origin = await startOrigin(rst);
    const { signal } = new AbortController();
    const settled = await Promise.allSettled(Array.from({ length: 20 }, () => start(origin, signal)));
    expect(settled.every(({ status }) => status === 'rejected')).toBe(true);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  test('whose bodies are cancelled: no listener is left', async () => {
    const origin = await startOrigin(never);
    const { signal } = new AbortController();
    const responses = await Promise.all(Array.from({ length: 20 }, () => fetch(origin.url, { signal })));
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    await Promise.all(responses.map(({ body }) => body.cancel()));
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  test('whose bodies break: no listener is left', async () => {
    const origin = await startOrigin(partial(rst));
    const { signal } = new AbortController();
    const responses = await Promise.all(Array.from({ length: 20 }, () => fetch(origin.url, { signal })));
    const settled = await Promise.allSettled(responses.map((response) => response.text()));
    expect(settled.every(({ status }) => status === 'rejected')).toBe(true);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});

test('an abort reaches a reader that is not reading', async () => {
  const { url } = await startOrigin(never);
  const controller = new AbortController();
  const response = await fetch(url, { signal: controller.signal });
  const reader = response.body.getReader();
  await reader.read();
  controller.abort('enough');
  await expect(reader.closed).rejects.toBe('enough');
});

test('a stream that is given with an aborted signal is cancelled', async () => {
  let cancelled;
  const body = new ReadableStream({
    cancel(reason) {
      cancelled = reason;
    },
  });
  const signal = AbortSignal.abort('before');
  await expect(fetch('http://localhost', { method: 'POST', body, duplex: 'half', signal })).rejects.toBe('before');
  expect(cancelled).toBe('before');
});

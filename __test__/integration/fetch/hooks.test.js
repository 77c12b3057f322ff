'use strict';

const { AsyncLocalStorage } = require('node:async_hooks');

const { fetch, createFetch } = require('../../..');
const { closeAll, inTurn, ok, reply, rst, startOrigin } = require('../../../testing');
const { caught, codesOf } = require('../../support/fetch-outcomes');

/** Waits too short to notice. */
const QUICK = { backoff: { base: 1, cap: 2 } };

afterEach(closeAll);

describe('hooks', () => {
  test('onRetry is told of each retry before its wait begins', async () => {
    const origin = await startOrigin(inTurn(rst, reply(503, { 'retry-after': '0' }), ok));
    const events = [];
    const onRetry = (event) => {
      events.push({ ...event, seen: origin.requests.length });
    };
    const response = await fetch(`${origin.url}/path?q`, { method: 'put', body: 'b', retry: { ...QUICK, onRetry } });
    const url = `${origin.url}/path?q`;
    expect(events).toEqual([
      { attempt: 1, delay: expect.any(Number), fault: expect.objectContaining({ code: 'ECONNRESET' }), method: 'PUT', url, seen: 1 },
      { attempt: 2, delay: expect.any(Number), fault: expect.objectContaining({ code: 'HTTP_503', status: 503 }), method: 'PUT', url, seen: 2 },
    ]);
    expect(response.recovery.attempts.slice(1).map(({ delay }) => delay.toFixed(2))).toEqual(events.map(({ delay }) => delay.toFixed(2)));
  });

  test('onRetry is not called when there is no retry', async () => {
    const onRetry = jest.fn();
    await fetch((await startOrigin(ok)).url, { retry: { onRetry } });
    await caught(fetch((await startOrigin(rst)).url, { method: 'POST', retry: { onRetry } }));
    await caught(fetch((await startOrigin(rst)).url, { retry: { retries: 0, onRetry } }));
    expect(onRetry).not.toHaveBeenCalled();
  });

  test('an async onRetry holds the next attempt back', async () => {
    const origin = await startOrigin(inTurn(rst, ok));
    let release;
    const held = new Promise((resolve) => {
      release = resolve;
    });
    const called = new Promise((resolve) => {
      const onRetry = () => {
        resolve();
        return held;
      };
      fetch(origin.url, { retry: { ...QUICK, onRetry } });
    });
    await called;
    expect(origin.requests).toHaveLength(1);
    release();
    await origin.received(1);
  });

  test('shouldRetry is asked about each fault, with what is known of the call', async () => {
    const origin = await startOrigin(inTurn(rst, reply(404), ok));
    const asked = [];
    const shouldRetry = (fault, context) => {
      asked.push([fault.code, context]);
    };
    const response = await fetch(origin.url, { retry: { ...QUICK, shouldRetry } });
    // Nothing was said, so the policy decided: a 404 is an answer.
    expect(response.status).toBe(404);
    const context = { method: 'GET', url: `${origin.url}/`, elapsed: expect.any(Number) };
    expect(asked).toEqual([
      ['ECONNRESET', { ...context, attempt: 1 }],
      ['HTTP_404', { ...context, attempt: 2 }],
    ]);
    expect(asked[1][1].elapsed).toBeGreaterThanOrEqual(asked[0][1].elapsed);
  });

  test.each([
    ['true', () => true],
    ['a promise of true', async () => true],
  ])('shouldRetry: %s repeats what would not be', async (name, shouldRetry) => {
    const origin = await startOrigin(inTurn(rst, reply(404), ok));
    const response = await fetch(origin.url, { method: 'POST', body: 'b', retry: { ...QUICK, shouldRetry } });
    expect(response.status).toBe(200);
    expect(codesOf(response.recovery)).toEqual(['ECONNRESET', 'HTTP_404', null]);
  });

  test.each([
    ['false', () => false],
    ['a promise of false', async () => false],
  ])('shouldRetry: %s ends it', async (name, shouldRetry) => {
    const origin = await startOrigin(rst);
    const error = await caught(fetch(origin.url, { retry: { ...QUICK, shouldRetry } }));
    expect(error.recovery.gaveUp).toBe('not-transient');
    const busy = await startOrigin(reply(503, {}, 'as it is'));
    expect(await (await fetch(busy.url, { retry: { ...QUICK, shouldRetry } })).text()).toBe('as it is');
    expect(origin.requests.length + busy.requests.length).toBe(2);
  });

  test('shouldRetry: true is still limited by the number of retries', async () => {
    const origin = await startOrigin(rst);
    const error = await caught(fetch(origin.url, { method: 'POST', retry: { ...QUICK, retries: 2, shouldRetry: () => true } }));
    expect(origin.requests).toHaveLength(3);
    expect(error.recovery.gaveUp).toBe('attempts-exhausted');
  });

  describe.each(['onRetry', 'shouldRetry'])('%s', (hook) => {
    test.each([
      ['an Error', new Error('mine')],
      ['a string', 'mine'],
      ['undefined', undefined],
    ])('that throws %s rejects the call with it', async (name, thrown) => {
      for (const failing of [() => {
        throw thrown;
      }, () => Promise.reject(thrown)]) {
        const origin = await startOrigin(rst);
        expect(await caught(fetch(origin.url, { retry: { ...QUICK, [hook]: failing } }))).toBe(thrown);
        expect(origin.requests).toHaveLength(1);
      }
    });

    test('runs in the async context of the caller', async () => {
      const context = new AsyncLocalStorage();
      const origin = await startOrigin(inTurn(rst, rst, rst, rst, ok));
      const seen = [];
      const retry = { ...QUICK, retries: 9, [hook]: () => {
        seen.push(context.getStore());
      } };
      await Promise.all([
        context.run('one', () => fetch(origin.url, { retry })),
        context.run('two', () => fetch(origin.url, { retry })),
      ]);
      expect(seen).toHaveLength(4);
      expect(new Set(seen)).toEqual(new Set(['one', 'two']));
    });

    test('of the client, and of the call in its place', async () => {
      const ofClient = jest.fn();
      const ofCall = jest.fn();
      const client = createFetch({ retry: { ...QUICK, [hook]: ofClient } });
      await client((await startOrigin(inTurn(rst, ok))).url);
      expect(ofClient).toHaveBeenCalledTimes(1);
      await client((await startOrigin(inTurn(rst, ok))).url, { retry: { [hook]: ofCall } });
      expect([ofClient.mock.calls.length, ofCall.mock.calls.length]).toEqual([1, 1]);
    });
  });

  test.each([1, 'yes', {}, Symbol('s')])('shouldRetry that returns %p rejects the call and is named', async (answer) => {
    const origin = await startOrigin(rst);
    await expect(fetch(origin.url, { retry: { shouldRetry: () => answer } })).rejects.toMatchObject({
      name: 'TypeError',
      message: expect.stringContaining('retry.shouldRetry'),
    });
    expect(origin.requests).toHaveLength(1);
  });

  test('a hook may call fetch itself', async () => {
    const origin = await startOrigin(inTurn(rst, ok));
    const onRetry = async () => {
      expect(await (await fetch(origin.url)).text()).toBe('ok');
    };
    expect((await fetch(origin.url, { retry: { ...QUICK, onRetry } })).status).toBe(200);
    expect(origin.requests).toHaveLength(3);
  });
});

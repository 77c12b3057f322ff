'use strict';

// The end of a fetch that has connections of its own: `close`, `destroy`, `await using`.

const { asyncDispose } = require('../../../lib/async-dispose');
const engine = require('../../../lib/engine/engine');
const { fetch, createFetch, classify } = require('../../..');
const { closeAll, inTurn, ok, reply, rst, silence, startOrigin } = require('../../../testing');
const { caught } = require('../../support/fetch-outcomes');

afterEach(closeAll);

/** An answer that ends when the test says so. */
function held(beginning = '') {
  const responses = [];
  const answer = (request, response) => {
    if (beginning !== '') response.writeHead(200).write(beginning);
    responses.push(response);
  };
  return Object.assign(answer, { release: () => responses.splice(0).forEach((response) => response.end('end')) });
}

/** Whether a promise has settled, once everything that was ready has run. */
async function isSettled(promise) {
  let settled = false;
  promise.then(() => {
    settled = true;
  });
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  return settled;
}

describe('close', () => {
  test('closes what idles, and resolves', async () => {
    const origin = await startOrigin(ok);
    const client = createFetch();
    await (await client(origin.url)).text();
    expect(await client.close()).toBeUndefined();
    await origin.requests[0].closed;
    expect(origin.connections()).toBe(1);
  });

  test('lets a call that waits for its answer end', async () => {
    const answer = held();
    const origin = await startOrigin(answer);
    const client = createFetch();
    const call = client(origin.url);
    await origin.received(0);
    const closing = client.close();
    expect(await isSettled(closing)).toBe(false);
    answer.release();
    expect(await (await call).text()).toBe('end');
    await closing;
    await origin.requests[0].closed;
  });

  test('waits for a body that is still to come, and that body arrives', async () => {
    const answer = held('begin ');
    const origin = await startOrigin(answer);
    const client = createFetch();
    const response = await client(origin.url);
    const closing = client.close();
    const reader = response.body.getReader();
    expect(Buffer.from((await reader.read()).value).toString()).toBe('begin ');
    expect(await isSettled(closing)).toBe(false);
    answer.release();
    expect(Buffer.from((await reader.read()).value).toString()).toBe('end');
    expect((await reader.read()).done).toBe(true);
    await closing;
    await origin.requests[0].closed;
  });

  test('does not wait for a body that has arrived and that nobody has asked for; it can be read later', async () => {
    const answer = held('begin ');
    const origin = await startOrigin(answer);
    const client = createFetch();
    const response = await client(origin.url);
    answer.release();
    await client.close();
    expect(await response.text()).toBe('begin end');
  });

  test('waits no longer for a body that is cancelled', async () => {
    const origin = await startOrigin(held('begin '));
    const client = createFetch();
    const response = await client(origin.url);
    const closing = client.close();
    expect(await isSettled(closing)).toBe(false);
    await response.body.cancel();
    await closing;
  });

  test('a call in flight may still be retried', async () => {
    const answer = held();
    const origin = await startOrigin(inTurn((request, response) => {
      client.close();
      rst(request, response);
    }, answer));
    const client = createFetch({ retry: { backoff: { base: 1, cap: 2 } } });
    const call = client(origin.url);
    await origin.received(1);
    const closing = client.close();
    expect(await isSettled(closing)).toBe(false);
    answer.release();
    expect((await call).recovery.attempts).toHaveLength(2);
    await closing;
    await origin.requests[1].closed;
  });

  test('before the first connection of a call is made: that one is closed as well', async () => {
    const origin = await startOrigin(ok);
    const client = createFetch();
    const call = client(origin.url);
    const closing = client.close();
    expect(await (await call).text()).toBe('ok');
    await closing;
    await origin.requests[0].closed;
  });

  test.each([
    ['a URL', (url) => [url]],
    ['a URL and init', (url) => [url, { method: 'POST', body: 'b' }]],
    ['a URL that needs no connection', () => ['data:,x']],
  ])('refuses calls that begin later: %s', async (name, input) => {
    const origin = await startOrigin(ok);
    const client = createFetch();
    await (await client(origin.url)).text();
    await client.close();
    const error = await caught(client(...input(origin.url)));
    expect(error).toMatchObject({
      name: 'TypeError', message: 'fetch failed', code: 'UND_ERR_CLOSED',
      cause: { name: 'FaultError', code: 'UND_ERR_CLOSED', kind: 'closed', delivery: 'not-sent', transient: false },
      recovery: { attempts: [], resumed: 0, bytesRefetched: 0, gaveUp: 'aborted' },
    });
    expect(error.stack).toContain(__filename);
    expect(classify(error)).toMatchObject({ code: 'UND_ERR_CLOSED', kind: 'closed' });
    expect(origin.requests).toHaveLength(1);
  });

  test('leaves the body of a refused call alone', async () => {
    const client = createFetch();
    await client.close();
    const body = new ReadableStream();
    await caught(client('http://localhost', { method: 'POST', body, duplex: 'half' }));
    expect(body.locked).toBe(false);
  });

  test('refuses a call whose body is still being made ready', async () => {
    const origin = await startOrigin(ok);
    const client = createFetch();
    // A form is encoded before the call begins.
    const form = new FormData();
    form.set('file', new Blob(['x']));
    const call = caught(client(origin.url, { method: 'POST', body: form }));
    await client.close();
    expect(await call).toMatchObject({ message: 'fetch failed', code: 'UND_ERR_CLOSED' });
    expect(origin.requests).toHaveLength(0);
  });

  test('may be called again, at any time, and is one end', async () => {
    const client = createFetch();
    const closing = client.close();
    expect(client.close()).toBe(closing);
    expect(client.destroy()).toBe(closing);
    await closing;
    expect(client.close()).toBe(closing);
  });

  test('concerns no other client', async () => {
    const origin = await startOrigin(ok);
    const [one, other] = [createFetch(), createFetch()];
    for (const client of [one, other]) await (await client(origin.url)).text();
    await one.close();
    await (await other(origin.url)).text();
    await (await fetch(origin.url)).text();
    expect(origin.requests[2].onConnection).toBe(2);
  });

  test('the fetch of the package has no end', () => {
    expect([fetch.close, fetch.destroy, fetch[asyncDispose]]).toEqual([undefined, undefined, undefined]);
  });

  test('await using', async () => {
    const origin = await startOrigin(ok);
    const client = createFetch();
    await (await client(origin.url)).text();
    await client[asyncDispose]();
    await origin.requests[0].closed;
    await expect(client(origin.url)).rejects.toMatchObject({ code: 'UND_ERR_CLOSED' });
  });
});

describe('destroy', () => {
  test('ends a call that waits for its answer', async () => {
    const origin = await startOrigin(silence);
    const client = createFetch();
    const call = caught(client(origin.url));
    await origin.received(0);
    await client.destroy();
    const error = await call;
    expect(error).toMatchObject({
      name: 'TypeError', message: 'fetch failed', code: 'UND_ERR_DESTROYED',
      cause: { name: 'FaultError', kind: 'closed', phase: 'wait', delivery: 'unknown', transient: false },
      recovery: { attempts: [], resumed: 0, bytesRefetched: 0, gaveUp: 'aborted' },
    });
    await origin.requests[0].closed;
    expect(engine.nativeEngine().openCalls).toBe(0);
  });

  test('ends the reading of a body', async () => {
    const origin = await startOrigin(held('begin '));
    const client = createFetch();
    const [whole, streamed, idle] = await Promise.all([client(origin.url), client(origin.url), client(origin.url)]);
    const reader = streamed.body.getReader();
    await reader.read();
    const readings = [whole.text(), reader.read()].map(caught);
    const untouched = idle.body.getReader();
    await client.destroy();
    for (const error of [...(await Promise.all(readings)), await caught(untouched.read())]) {
      expect(error).toMatchObject({
        name: 'TypeError', message: 'terminated', code: 'UND_ERR_DESTROYED',
        cause: { phase: 'receive', delivery: 'answered' },
        recovery: { attempts: [{ fault: null }], gaveUp: 'aborted' },
      });
    }
    await Promise.all(origin.requests.map(({ closed }) => closed));
  });

  test('ends a wait between two attempts', async () => {
    const origin = await startOrigin(rst);
    const waiting = new Promise((resolve) => {
      const client = createFetch({ retry: { backoff: { base: 100_000, cap: 100_000 }, within: 1e6, onRetry: () => resolve([client, call]) } });
      const call = caught(client(origin.url));
    });
    const [client, call] = await waiting;
    await client.destroy();
    expect((await call).code).toBe('UND_ERR_DESTROYED');
  });

  test('with a reason: that is what they reject with, and what the source of a body is told', async () => {
    const origin = await startOrigin(silence);
    const client = createFetch();
    const mine = new Error('mine');
    let told;
    const cancelled = new Promise((resolve) => {
      told = resolve;
    });
    const body = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(10_000)), cancel: told });
    const calls = [client(origin.url), client(origin.url, { method: 'POST', body, duplex: 'half' })].map(caught);
    await origin.received(0);
    while (!body.locked) await new Promise(setImmediate);
    await client.destroy(mine);
    expect(await Promise.all(calls)).toEqual([mine, mine]);
    expect((await Promise.all(calls))[0]).toBe(mine);
    expect(await cancelled).toBe(mine);
  });

  test('refuses calls that begin later', async () => {
    const client = createFetch();
    await client.destroy(new Error('mine'));
    await expect(client('http://localhost')).rejects.toMatchObject({ code: 'UND_ERR_DESTROYED', message: 'fetch failed' });
  });

  test('ends what close waits for', async () => {
    const origin = await startOrigin(silence);
    const client = createFetch();
    const call = caught(client(origin.url));
    await origin.received(0);
    const closing = client.close();
    client.destroy();
    await closing;
    expect((await call).code).toBe('UND_ERR_DESTROYED');
  });

  test('concerns no other client', async () => {
    const answer = held();
    const origin = await startOrigin(answer);
    const [one, other] = [createFetch(), createFetch()];
    const calls = [caught(one(origin.url)), other(origin.url), fetch(origin.url)];
    await origin.received(2);
    await one.destroy();
    answer.release();
    expect((await calls[0]).code).toBe('UND_ERR_DESTROYED');
    for (const call of calls.slice(1)) expect(await (await call).text()).toBe('end');
  });

  test('frees the body of a response that came whole', async () => {
    const origin = await startOrigin(reply(200, {}, 'whole'));
    const client = createFetch();
    const response = await client(origin.url);
    await client.destroy();
    expect(await response.text()).toBe('whole');
  });
});

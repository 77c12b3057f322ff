'use strict';

/** The caller ends a request between its attempts; and what the listeners of a request are to rely on. */

const http = require('node:http');
const { AsyncLocalStorage } = require('node:async_hooks');
const { EventEmitter, once } = require('node:events');
const path = require('node:path');
const { execFile } = require('node:child_process');
const { promisify } = require('node:util');

const { createPolicy, wrapHttp } = require('../../../..');
const { closeAll, inTurn, ok, reply, resetServer, rst, startOrigin } = require('../../../../testing');
const { record } = require('./record');

/** A wait that no test lives to see the end of, whatever is drawn. */
const SLOW = { backoff: { base: 2_000_000_000, cap: 2_000_000_000 }, within: Infinity };
const HANG_UP = ['Error', 'ECONNRESET', 'socket hang up'];

afterEach(closeAll);

const ENDS = {
  'abort()': { end: (request) => request.abort(), error: HANG_UP, abort: true },
  'destroy()': { end: (request) => request.destroy(), error: HANG_UP },
  'destroy(error)': {
    end: (request) => request.destroy(Object.assign(new Error('enough'), { code: 'ENOUGH' })),
    error: ['Error', 'ENOUGH', 'enough'],
  },
  'its signal': {
    end: (request, controller) => controller.abort(new Error('of the caller')),
    error: ['AbortError', 'ABORT_ERR', 'The operation was aborted'],
  },
};

describe.each(Object.entries(ENDS))('%s', (name, { end, error: expected, abort = false }) => {
  test.each([
    ['in the wait between two attempts', rst],
    ['while a refusal is held back', reply(503)],
  ])('%s ends it at once', async (when, answer) => {
    const origin = await startOrigin(answer);
    const moment = new EventEmitter();
    const told = once(moment, 'retry');
    const slow = wrapHttp(http, { retry: { ...SLOW, onRetry: () => void moment.emit('retry') } });
    const controller = new AbortController();
    const agent = new http.Agent();
    const request = slow.get(origin.url, { signal: controller.signal, agent });
    const { events, closed } = record(request);
    let error;
    request.on('error', (thrown) => { error = thrown; });
    await told;
    // The wait has begun.
    await new Promise(setImmediate);
    expect(request.destroyed).toBe(false);
    const disconnected = new Promise((resolve) => {
      if (request.socket.closed) resolve();
      request.socket.on('close', resolve);
    });
    const began = performance.now();
    end(request, controller);
    expect(request.destroyed).toBe(true);
    await closed;
    expect(performance.now() - began).toBeLessThan(1_000);
    expect([error.name, error.code, error.message]).toEqual(expected);
    expect(error.recovery.gaveUp).toBe('aborted');
    await disconnected;
    await new Promise(setImmediate);
    expect(events.filter((event) => event === 'close')).toHaveLength(1);
    expect(events.filter((event) => event.startsWith('error'))).toHaveLength(1);
    expect(events.at(-1)).toBe('close');
    expect(events.filter((event) => event === 'abort')).toHaveLength(abort ? 1 : 0);
    expect(request.aborted).toBe(abort);
    expect(origin.requests).toHaveLength(1);
    expect(agent.sockets).toEqual({});
  });

  test('during an attempt it is not retried', async () => {
    const origin = await startOrigin(inTurn(rst, () => {}));
    const quick = wrapHttp(http, { retry: { backoff: { base: 1, cap: 1 } } });
    const controller = new AbortController();
    const request = quick.get(origin.url, { signal: controller.signal });
    const { events, closed } = record(request);
    let error;
    request.on('error', (thrown) => { error = thrown; });
    const second = await origin.received(1);
    end(request, controller);
    await closed;
    expect([error.name, error.code, error.message]).toEqual(expected);
    expect(error.recovery.attempts.map(({ fault }) => fault.kind)).toEqual(['reset', 'aborted']);
    await second.closed;
    expect(events.at(-1)).toBe('close');
    expect(origin.requests).toHaveLength(2);
  });
});

test('a signal that is aborted before makes no connection', async () => {
  const origin = await startOrigin();
  const [error] = await once(wrapHttp(http).get(origin.url, { signal: AbortSignal.abort() }), 'error');
  expect(error).toMatchObject({ name: 'AbortError', recovery: { gaveUp: 'aborted' } });
  expect(origin.connections()).toBe(0);
});

const TURNS = Array.from({ length: 12 }, (_, turn) => turn);

test.each(TURNS)('whoever ends it as a wait is over still ends it: %i turns later', async (turn) => {
  const origin = await resetServer();
  // The next attempt is decided, and made, within these turns of the queue of promises.
  const onRetry = async () => {
    queueMicrotask(async () => {
      for (let left = turn; left > 0; left -= 1) await undefined;
      request.destroy();
    });
  };
  const request = wrapHttp(http, { retry: { backoff: { base: 0, cap: 0 }, onRetry } }).get(origin.url);
  const { events, closed } = record(request);
  await closed;
  expect(events.filter((event) => event.startsWith('error') || event === 'close')).toEqual([`error ${HANG_UP}`, 'close']);
});

test('a connection that this program has destroyed is not made again', async () => {
  const origin = await startOrigin(() => {});
  const agent = new http.Agent({ keepAlive: true });
  const request = wrapHttp(http).get(origin.url, { agent });
  await origin.received(0);
  const failed = once(request, 'error');
  agent.destroy();
  const [error] = await failed;
  expect(error).toMatchObject({ code: 'ECONNRESET', message: 'socket hang up', recovery: { gaveUp: 'aborted' } });
  expect(origin.requests).toHaveLength(1);
});

test('the socket\'s own timeout is told for each attempt, and ends none of them', async () => {
  const origin = await startOrigin(inTurn(
    (request) => setTimeout(() => request.incoming.socket.resetAndDestroy(), 150),
    (request, response) => setTimeout(() => response.end('ok'), 150),
  ));
  const request = wrapHttp(http, { retry: { backoff: { base: 1, cap: 1 } } }).get(origin.url, { timeout: 50 });
  const { events, closed } = record(request);
  const [response] = await once(request, 'response');
  response.resume();
  await closed;
  expect(events.filter((event) => event === 'timeout')).toHaveLength(2);
});

describe('the caller\'s async context', () => {
  test('is that of every listener and hook, whatever the number of attempts', async () => {
    const storage = new AsyncLocalStorage();
    const origin = await startOrigin((request, response) => (
      (request.path === '/fails' || request.headers['x-first'] === undefined ? rst : ok)(request, response)
    ));
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const seen = { a: new Set(), b: new Set() };
    const policy = createPolicy({ backoff: { base: 1, cap: 1 } });
    const wrapped = wrapHttp(http, {
      retry: policy.with({ onRetry: () => { seen[storage.getStore()].add(`retry ${storage.getStore()}`); } }),
      onRequest: () => { seen[storage.getStore()].add(`request ${storage.getStore()}`); },
    });
    // Both at once on one connection, so that they get each other's sockets.
    await Promise.all(['a', 'b'].map((name) => storage.run(name, async () => {
      const request = wrapped.get(`${origin.url}/fails`, { agent });
      // Not 'finish': Node itself tells it in the context of whoever had the connection before.
      for (const event of ['socket', 'error', 'close']) {
        request.on(event, () => seen[name].add(`${event} ${storage.getStore()}`));
      }
      await new Promise((resolve) => {
        request.on('close', resolve);
      });
      const second = wrapped.get(origin.url, { agent, headers: { 'x-first': '1' } });
      second.on('response', (response) => {
        seen[name].add(`response ${storage.getStore()}`);
        response.on('end', () => seen[name].add(`end ${storage.getStore()}`)).resume();
      });
      await new Promise((resolve) => {
        second.on('close', resolve);
      });
    })));
    for (const name of ['a', 'b']) {
      expect([...seen[name]].sort()).toEqual(
        ['close', 'end', 'error', 'request', 'response', 'retry', 'socket'].map((event) => `${event} ${name}`),
      );
    }
    agent.destroy();
  });
});

describe('in a process of its own', () => {
  const ROOT = path.join(__dirname, '../../../..');

  async function run(program, url) {
    const source = `
      const bare = require('node:http');
      const { wrapHttp } = require(${JSON.stringify(ROOT)});
      const http = wrapHttp(bare, { retry: { retries: 1, backoff: { base: 300, cap: 300 } } });
      const url = ${JSON.stringify(url)};
      ${program}
    `;
    try {
      const { stdout } = await promisify(execFile)(process.execPath, ['-e', source], { timeout: 20_000 });
      return { code: 0, stdout };
    } catch ({ code, stdout, stderr }) {
      return { code, stdout, stderr };
    }
  }

  test('an error without a listener is an uncaught exception, after the last attempt', async () => {
    const origin = await resetServer();
    const { code, stdout } = await run(`
      process.on('unhandledRejection', () => console.log('rejection'));
      process.on('uncaughtException', (error) => console.log('uncaught', error.code, error.recovery.gaveUp));
      http.get(url).on('close', () => console.log('close'));
    `, origin.url);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'uncaught ECONNRESET attempts-exhausted\nclose\n' });
    expect(origin.requests).toHaveLength(2);
  });

  test.each([
    ['an error', rst, "http.get(url).on('error', () => { throw new Error('mine'); })"],
    ['a response', inTurn(rst, ok), "http.get(url, () => { throw new Error('mine'); })"],
    ['a response that was held back', reply(503), "http.get(url, () => { throw new Error('mine'); })"],
  ])('what a listener of %s throws is uncaught', async (name, answer, program) => {
    const origin = await startOrigin(answer);
    const { stdout } = await run(`
      process.on('unhandledRejection', () => console.log('rejection'));
      process.on('uncaughtException', (error) => { console.log('uncaught', error.message); process.exit(); });
      ${program};
    `, origin.url);
    expect(stdout).toBe('uncaught mine\n');
  });

  test('a wait keeps it alive; when it is over, nothing does', async () => {
    const origin = await startOrigin(inTurn(rst, ok));
    const began = performance.now();
    const { code, stdout } = await run(`
      const agent = new bare.Agent();
      http.get(url, { agent }, (response) => response.resume().on('end', () => console.log('ended')));
    `, origin.url);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'ended\n' });
    expect(performance.now() - began).toBeLessThan(15_000);
  });

  test('a request that is destroyed in a wait keeps nothing alive', async () => {
    const origin = await resetServer();
    const { code, stdout } = await run(`
      const onRetry = () => setImmediate(() => request.destroy());
      const slow = wrapHttp(bare, { retry: { ...${JSON.stringify(SLOW)}, within: Infinity, onRetry } });
      const request = slow.get(url, { agent: new bare.Agent() }).on('error', (error) => console.log(error.code));
    `, origin.url);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'ECONNRESET\n' });
  });

  test('a response without listeners is discarded, so that its connection is free', async () => {
    const origin = await startOrigin(inTurn(reply(503, {}, 'busy'), reply(503, {}, 'busy'), ok));
    const { code, stdout } = await run(`
      const agent = new bare.Agent({ keepAlive: true, maxSockets: 1 });
      http.get(url, { agent }).on('close', () => {
        http.get(url, { agent }, (response) => { console.log(response.statusCode); agent.destroy(); });
      });
    `, origin.url);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '200\n' });
    expect(origin.connections()).toBe(1);
  });
});

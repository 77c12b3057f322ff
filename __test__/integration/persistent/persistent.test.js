'use strict';

const { AsyncLocalStorage } = require('node:async_hooks');
const diagnostics = require('node:diagnostics_channel');
const { once, EventEmitter } = require('node:events');
const { FaultProxy, createPolicy, persistent } = require('../../..');
const { LineServer, ask, connectTo } = require('./line-server');

const QUICK = { reconnect: { backoff: { base: 5, cap: 20 } }, retry: { backoff: { base: 5 } } };

let server;
let proxy;
let db;

/** @param {object} [source] in place of what is usual */
function handle(options, source) {
  db = persistent({
    connect: (context) => connectTo(proxy.port, context),
    close: (socket) => socket.destroy(),
    ping: (socket) => ask(socket, 'ping'),
    ...source,
  }, { ...QUICK, ...options });
  return db;
}

const add = (socket) => ask(socket, 'add');

/** Calls `act`, and waits for the event of the handle. */
async function told(event, act = () => {}) {
  const emitter = new EventEmitter();
  db.once(event, (message) => emitter.emit('told', message));
  const hearing = once(emitter, 'told');
  await act();
  return (await hearing)[0];
}

const failureOf = (promise) => promise.then(() => expect('success').toBe('a failure'), (error) => error);

beforeEach(async () => {
  server = await new LineServer().listen();
  proxy = await FaultProxy.listen({ upstream: server.port });
});

afterEach(async () => {
  jest.restoreAllMocks();
  jest.useRealTimers();
  await db?.close();
  await proxy.close();
  await server.close();
});

describe('to connect', () => {
  test('the first connection is tried again until there is one; all who ask wait for the same', async () => {
    const refused = proxy.add({ type: 'refuse', on: 'accept' });
    const attempts = [];
    handle({}, {
      connect(context) {
        attempts.push(context.attempt);
        return connectTo(proxy.port, context);
      },
    });
    const calls = [db.get(), db.run(add), db.run(add)];
    expect(db.state).toBe('connecting');
    const events = [];
    db.on('reconnecting', ({ attempt, delay, fault }) => events.push([attempt, delay <= 20, fault.code, fault.delivery]));
    while (events.length < 3) await told('reconnecting');
    refused.remove();
    const up = await told('up');
    await Promise.all(calls);
    expect(attempts).toEqual(attempts.map((_, at) => at + 1));
    expect(up.attempts).toBe(attempts.length);
    expect(up.downtime).toBeGreaterThan(0);
    expect(events[0]).toEqual([2, true, 'ECONNREFUSED', 'not-sent']);
    expect(server.added).toBe(2);
    expect(proxy.stats().connections.accepted).toBe(1);
  });

  test('get gives the connection itself, the same each time', async () => {
    handle();
    const socket = await db.get();
    expect(socket.remotePort).toBe(proxy.port);
    expect(await db.get()).toBe(socket);
  });

  test('what would come again ends the attempts; whoever asks later begins anew', async () => {
    const wrong = new TypeError('no such option');
    let isRight = false;
    handle({}, { connect: (context) => (isRight ? connectTo(proxy.port, context) : Promise.reject(wrong)) });
    const down = told('down');
    const errors = await Promise.all([failureOf(db.run(add)), failureOf(db.run(add))]);
    for (const error of errors) {
      expect(error).toMatchObject({ delivery: 'not-sent', transient: false, recovery: { gaveUp: 'not-transient' } });
      expect(error.cause).toBe(wrong);
    }
    expect(errors[0]).not.toBe(errors[1]);
    expect(await down).toMatchObject({ gaveUp: 'not-transient' });
    isRight = true;
    await db.run(add);
    expect(server.added).toBe(1);
  });

  test('`reconnect` limits the attempts, and its hooks are asked and told', async () => {
    proxy.add({ type: 'refuse', on: 'accept' });
    const told3 = [];
    const asked = [];
    handle({
      reconnect: {
        retries: 2,
        backoff: { base: 1 },
        onRetry: ({ attempt }) => told3.push(attempt),
        shouldRetry: (fault, { attempt }) => void asked.push([fault.code, attempt]),
      },
    });
    const error = await failureOf(db.get());
    expect(error).toMatchObject({ code: 'ECONNREFUSED', delivery: 'not-sent' });
    expect(told3).toEqual([2, 3]);
    expect(asked).toEqual([['ECONNREFUSED', 1], ['ECONNREFUSED', 2], ['ECONNREFUSED', 3]]);
    expect(db.state).toBe('down');
  });

  test('`shouldRetry` can make of a failure that nobody knows one that passes', async () => {
    let attempts = 0;
    handle({ reconnect: { backoff: { base: 1 }, shouldRetry: () => true } }, {
      connect(context) {
        attempts += 1;
        if (attempts < 3) throw new Error('odd');
        return connectTo(proxy.port, context);
      },
    });
    await db.run(add);
    expect(attempts).toBe(3);
  });

  test('an attempt that takes too long is given up, and its connection not kept', async () => {
    let late;
    const closed = [];
    handle({ timeout: { connect: 30 } }, {
      async connect(context) {
        if (late !== undefined) return connectTo(proxy.port, context);
        late = {};
        await once(context.signal, 'abort');
        late.reason = context.signal.reason;
        late.socket = await connectTo(proxy.port);
        return late.socket;
      },
      close(socket) {
        closed.push(socket);
        socket.destroy();
      },
    });
    const { fault } = await told('reconnecting', () => db.get());
    expect(fault).toMatchObject({ code: 'ETIMEDOUT', phase: 'connect', delivery: 'not-sent' });
    expect(late.reason.code).toBe('ETIMEDOUT');
    while (!closed.includes(late.socket)) await new Promise(setImmediate);
    expect(db.state).toBe('up');
  });

  test('a server that accepts and hangs up is not met at full speed', async () => {
    handle({ reconnect: { backoff: { base: 1, cap: 4 }, retries: 4 } });
    proxy.add({ type: 'reset', on: 'accept', afterMs: 1 });
    const attempts = [];
    db.on('reconnecting', ({ attempt }) => attempts.push(attempt));
    db.get().catch(() => {});
    const gaveUp = new Promise((resolve) => {
      db.on('down', (event) => event.gaveUp && resolve(event.gaveUp));
    });
    // Each loss counts on, since no connection proved itself.
    expect(await gaveUp).toBe('attempts-exhausted');
    expect(attempts).toEqual([...attempts].sort());
    expect(attempts.length).toBeLessThanOrEqual(5);
  });
});

describe('to wait', () => {
  test('no more than maxWaiting wait', async () => {
    proxy.add({ type: 'refuse', on: 'accept' });
    handle({ maxWaiting: 2, timeout: { wait: Infinity } });
    const first = [failureOf(db.get()), failureOf(db.get())];
    expect(await failureOf(db.get())).toMatchObject({ code: 'ERR_PERSISTENT_WAITING', delivery: 'not-sent' });
    expect(db.stats().waiting).toBe(2);
    await db.close();
    expect((await Promise.all(first)).map(({ code }) => code)).toEqual(['ERR_PERSISTENT_CLOSED', 'ERR_PERSISTENT_CLOSED']);
  });

  test('a signal ends the wait, with its reason', async () => {
    proxy.add({ type: 'refuse', on: 'accept' });
    handle();
    const controller = new AbortController();
    const waits = [failureOf(db.get({ signal: controller.signal })), failureOf(db.run(add, { signal: controller.signal }))];
    const reason = new Error('enough');
    await told('reconnecting');
    controller.abort(reason);
    expect(await Promise.all(waits)).toEqual([reason, reason]);
    expect(await failureOf(db.run(add, { signal: controller.signal }))).toBe(reason);
    expect(db.stats()).toMatchObject({ waiting: 0, running: 0 });
  });

  test('the timeout of a call ends its wait: nothing was sent', async () => {
    proxy.add({ type: 'refuse', on: 'accept' });
    handle();
    const error = await failureOf(db.run(add, { timeout: 50 }));
    expect(error).toMatchObject({ code: 'ETIMEDOUT', phase: 'connect', delivery: 'not-sent' });
    expect(await failureOf(db.get({ timeout: 20 }))).toMatchObject({ code: 'ETIMEDOUT', delivery: 'not-sent' });
  });
});

describe('to run', () => {
  test('what the function returns is the result, and it is told about its attempt', async () => {
    handle();
    const contexts = [];
    const fault = proxy.add({ type: 'reset', on: 'response', times: 1 });
    const result = await db.run((socket, context) => {
      contexts.push(context);
      return add(socket);
    }, { idempotent: true });
    expect(result).toBe('add done');
    expect(contexts.map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(contexts[1].lastFault).toMatchObject({ code: 'ECONNRESET', delivery: 'unknown' });
    expect(contexts[0].signal.aborted).toBe(false);
    expect(fault.hits).toBe(1);
  });

  test('an error of the program goes through, the same object, and harms no connection', async () => {
    handle();
    const socket = await db.get();
    const bug = new TypeError('x is not a function');
    expect(await failureOf(db.run(() => {
      throw bug;
    }, { idempotent: true }))).toBe(bug);
    expect(bug.recovery.gaveUp).toBe('not-transient');
    expect(await db.get()).toBe(socket);
  });

  test('it does not begin when its signal is aborted, at whatever moment before', async () => {
    let aborted = 0;
    for (let turns = 0; turns < 20; turns += 1) {
      const controller = new AbortController();
      handle();
      const abortIn = (left) => (left === 0 ? controller.abort(new Error('enough')) : queueMicrotask(() => abortIn(left - 1)));
      db.on('up', () => abortIn(turns));
      const states = [];
      const error = await failureOf(db.run(() => {
        states.push(controller.signal.aborted);
        return once(controller.signal, 'abort');
      }, { signal: controller.signal }).then(() => Promise.reject(controller.signal.reason)));
      expect(error.message).toBe('enough');
      expect(states).not.toContain(true);
      aborted += states.length === 0;
      await db.close();
    }
    // Some came before, and some after.
    expect(aborted).toBeGreaterThan(2);
    expect(aborted).toBeLessThan(20);
  });

  test('the wait is told whole, also when nothing of it is left', async () => {
    handle({ timeout: { wait: 50 }, retry: { retries: 3, backoff: { base: 1 } } });
    proxy.add({ type: 'refuse', on: 'accept' });
    const error = await failureOf(db.run(add, { idempotent: true }));
    const reasons = error.recovery.attempts.map(({ fault }) => fault.reason);
    expect(reasons).toHaveLength(4);
    for (const reason of reasons) expect(reason).toMatch(/^There was no connection within 50 ms;/);
  });

  test('a fault that proves that nothing was sent allows another attempt', async () => {
    handle();
    let calls = 0;
    await db.run(async (socket) => {
      calls += 1;
      if (calls === 1) throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', syscall: 'connect' });
      return add(socket);
    });
    expect([calls, server.added]).toEqual([2, 1]);
  });

  test('`isBroken` knows better what ends a connection', async () => {
    const isBroken = jest.fn((socket, error) => socket.destroyed || error?.message === 'protocol out of step');
    handle({}, { isBroken });
    const first = await db.get();
    const odd = new Error('protocol out of step');
    const calls = [];
    await db.run((socket) => {
      calls.push(socket);
      if (calls.length === 1) throw odd;
      return add(socket);
    }, { idempotent: true });
    expect(calls[0]).toBe(first);
    expect(calls[1]).not.toBe(first);
    // A reset that it does not call the end is not the end.
    await failureOf(db.run(() => Promise.reject(Object.assign(new Error('of another service'), { code: 'ECONNRESET', syscall: 'read' }))));
    expect(await db.get()).toBe(calls[1]);
    expect(isBroken.mock.calls.some(([socket, error]) => socket === calls[1] && error === undefined)).toBe(true);
  });

  test('a call that is never told of the end of its connection is told by us', async () => {
    handle();
    const signals = [];
    const running = failureOf(db.run((socket, { signal }) => {
      signals.push(signal);
      socket.write('add\n');
      return new Promise(() => {});
    }));
    while (server.added === 0) await new Promise(setImmediate);
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance', 'Date'] });
    await told('down', () => proxy.resetAll());
    jest.advanceTimersByTime(5_000);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(await running).toMatchObject({ code: 'ECONNRESET', delivery: 'unknown', recovery: { gaveUp: 'not-idempotent' } });
    expect(server.added).toBe(1);
  });

  test('it stays in the async context of its caller; events and connect are in that of the handle', async () => {
    const storage = new AsyncLocalStorage();
    const seen = {};
    storage.run('maker', () => {
      handle({}, {
        connect(context) {
          seen.connect = storage.getStore();
          return connectTo(proxy.port, context);
        },
      });
    });
    db.on('up', () => {
      seen.up = storage.getStore();
    });
    await storage.run('caller', () => db.run(() => {
      seen.run = storage.getStore();
    }));
    expect(seen).toEqual({ connect: 'maker', up: 'maker', run: 'caller' });
  });

  test('a policy is shared: it counts, and tells of, the calls under the name of the handle', async () => {
    const policy = createPolicy({ backoff: { base: 1 } });
    const seen = [];
    policy.on('retry', ({ surface, origin, why }) => seen.push([surface, origin, why]));
    handle({ retry: policy, name: 'stock' });
    proxy.add({ type: 'reset', on: 'response', times: 1 });
    await db.run(add, { idempotent: true });
    expect(seen).toEqual([['persistent', 'stock', 'declared']]);
    expect(policy.stats().stock).toMatchObject({ calls: 1, retries: 1, recovered: 1 });
  });

  test('a breaker refuses calls before they wait', async () => {
    proxy.add({ type: 'refuse', on: 'accept' });
    handle({ retry: { retries: 0, breaker: { minCalls: 1 } }, timeout: { wait: 10 } });
    await failureOf(db.run(add));
    expect(await failureOf(db.run(add))).toMatchObject({ code: 'ERR_BREAKER_OPEN', recovery: { gaveUp: 'breaker-open' } });
  });
});

describe('to notice', () => {
  test('the end of an idle connection is noticed by its events, and it comes back before anybody asks', async () => {
    handle();
    await db.run(add);
    const messages = [];
    const listener = (message) => messages.push(message);
    diagnostics.subscribe('unreset:connection', listener);
    const down = told('down');
    await told('up', () => proxy.resetAll());
    diagnostics.unsubscribe('unreset:connection', listener);
    expect(await down).toMatchObject({ fault: { code: 'ECONNRESET', phase: 'idle' }, uptime: expect.any(Number) });
    expect(messages.map(({ event }) => event)).toEqual(['down', 'reconnecting', 'up']);
    expect(messages[0]).toMatchObject({ surface: 'persistent', name: '' });
    expect(db.stats()).toMatchObject({ connects: 2, losses: 1 });
    await db.run(add);
    expect(server.added).toBe(2);
  });

  test('whoever asks again when told of a loss does not begin a second way back', async () => {
    const attempts = [];
    handle({}, {
      connect(context) {
        attempts.push(context.attempt);
        return connectTo(proxy.port, context);
      },
    });
    await db.run(add);
    const again = new Promise((resolve) => {
      db.on('down', () => resolve(db.run(add)));
    });
    proxy.resetAll();
    await again;
    expect(attempts).toEqual([1, 1]);
  });

  test('a connection that cannot tell by events is reported by `lost`', async () => {
    let report;
    handle({}, {
      async connect(context) {
        report = context.lost;
        const socket = await connectTo(proxy.port, context);
        return { socket };
      },
      close: ({ socket }) => socket.destroy(),
      ping: ({ socket }) => ask(socket, 'ping'),
    });
    const first = await db.get();
    const { fault } = await told('down', () => report(Object.assign(new Error('gone'), { code: 'ECONNRESET', syscall: 'read' })));
    expect(fault.code).toBe('ECONNRESET');
    expect(await db.get()).not.toBe(first);
    // Reported once more, by the connection that is gone already: nothing happens to the new one.
    expect(db.state).toBe('up');
  });

  test('after a silence it is pinged, once for all who ask; one that does not answer is replaced', async () => {
    handle({ pingAfter: 1_000, timeout: { ping: 2_000 } });
    const first = await db.get();
    const now = performance.now.bind(performance);
    let later = 1_000;
    jest.spyOn(performance, 'now').mockImplementation(() => now() + later);
    await Promise.all([db.get(), db.get(), db.get()]);
    expect(server.pings).toBe(1);
    later += 5_000;
    const vanished = proxy.add({ type: 'blackhole', on: 'request', times: 1 });
    const [one, two] = await Promise.all([db.get(), db.get()]);
    expect(vanished.hits).toBe(1);
    expect(one).toBe(two);
    expect(one).not.toBe(first);
    expect(db.stats().pings).toMatchObject({ sent: 2, failed: 1 });
  });

  test('`pingAfter: false` never asks, 0 always', async () => {
    handle({ pingAfter: false });
    await db.get();
    const now = performance.now.bind(performance);
    jest.spyOn(performance, 'now').mockImplementation(() => now() + 600_000);
    await db.get();
    expect(server.pings).toBe(0);
    await db.close();
    handle({ pingAfter: 0 });
    await db.get();
    await db.get();
    expect(server.pings).toBe(2);
  });

  test('a death after a silence teaches to ask sooner', async () => {
    handle({ pingAfter: 60_000 });
    // An answer, so that the proxy is known to have the connection too.
    await db.run(add);
    const now = performance.now.bind(performance);
    jest.spyOn(performance, 'now').mockImplementation(() => now() + 20_000);
    expect(db.stats().pings.after).toBe(60_000);
    await told('down', () => proxy.resetAll());
    const { after } = db.stats().pings;
    expect(after).toBeGreaterThanOrEqual(10_000);
    expect(after).toBeLessThan(12_000);
  });

  test('a call that ran out of time makes the connection suspect: it is tested before it is used again', async () => {
    handle();
    await db.get();
    const { fault } = await told('degraded', () => failureOf(db.run((socket) => ask(socket, 'silence'), { timeout: 30 })));
    expect(fault).toMatchObject({ code: 'ETIMEDOUT', delivery: 'unknown' });
    expect(db.state).toBe('degraded');
    await told('up', () => db.get());
    expect(server.pings).toBe(1);
  });

  test('so does one that was aborted; that in itself is no news', async () => {
    handle();
    await db.get();
    const onDegraded = jest.fn();
    db.on('degraded', onDegraded);
    const controller = new AbortController();
    const running = failureOf(db.run((socket) => ask(socket, 'silence'), { signal: controller.signal }));
    setImmediate(() => controller.abort());
    expect((await running).name).toBe('AbortError');
    await db.get();
    expect(server.pings).toBe(1);
    expect(onDegraded).not.toHaveBeenCalled();
  });
});

describe('to close', () => {
  test('while it connects', async () => {
    const begun = new EventEmitter();
    handle({}, {
      connect({ signal }) {
        begun.emit('connect', once(signal, 'abort'));
        return new Promise(() => {});
      },
    });
    const beginning = once(begun, 'connect');
    const waiting = failureOf(db.run(add));
    const [aborted] = await beginning;
    await db.close();
    await aborted;
    expect(await waiting).toMatchObject({ code: 'ERR_PERSISTENT_CLOSED', delivery: 'not-sent', recovery: { gaveUp: 'aborted' } });
    expect(db.state).toBe('closed');
  });

  test('while it waits to come back, and before it was ever asked', async () => {
    proxy.add({ type: 'refuse', on: 'accept' });
    handle({ reconnect: { backoff: { base: 100_000, cap: 100_000 } } });
    const waiting = failureOf(db.get());
    await told('reconnecting');
    await db.close();
    expect((await waiting).code).toBe('ERR_PERSISTENT_CLOSED');
    handle();
    await db.close();
    expect(await failureOf(db.run(add))).toMatchObject({ code: 'ERR_PERSISTENT_CLOSED' });
  });

  test('a call that waits to be repeated is not repeated', async () => {
    const waits = new EventEmitter();
    handle({ retry: { backoff: { base: 100_000, cap: 100_000 }, within: Infinity, onRetry: () => void waits.emit('retry') } });
    let calls = 0;
    const running = failureOf(db.run(() => {
      calls += 1;
      throw Object.assign(new Error('busy'), { code: 'ECONNREFUSED', syscall: 'connect' });
    }));
    await once(waits, 'retry');
    await db.close();
    expect((await running).recovery.gaveUp).toBe('aborted');
    expect(calls).toBe(1);
  });

  test('in a listener, with a `close` that fails, and by `await using`', async () => {
    handle({}, {
      close(socket) {
        socket.destroy();
        throw new Error('no farewell');
      },
    });
    let closing;
    db.on('up', () => {
      closing = db.close();
    });
    expect(await failureOf(db.get())).toMatchObject({ code: 'ERR_PERSISTENT_CLOSED' });
    await closing;
    expect(db.state).toBe('closed');
    expect(await db[Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]()).toBeUndefined();
  });
});

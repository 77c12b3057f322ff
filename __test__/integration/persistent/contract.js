'use strict';

/**
 * What every wrapped pool and client keeps to, played with a real driver against a real server, through a proxy that makes
 * the faults. How often a write was really done is counted at the server, over a connection that no fault meets.
 */

const { once, EventEmitter } = require('node:events');
const { setTimeout: pause } = require('node:timers/promises');
const { FaultProxy } = require('../../..');

/**
 * @typedef {object} Driver
 * @property {() => Promise<object>} start a server
 * @property {(server: object) => Promise<{ count(): Promise<number>, reset(): Promise<void>, close(): Promise<void> }>} direct
 * @property {(port: number, options: object) => object} wrap
 * @property {(connection: object) => Promise<unknown>} write adds one, each time that it runs
 * @property {(connection: object) => Promise<unknown>} read
 * @property {boolean} heals the client reconnects by itself
 * @property {boolean} [pools] it does so over a pool and connections that watch the server: what becomes of one connection it
 *   keeps to itself, and tells what becomes of the server
 * @property {(db: object) => Promise<void>} [calm] resolves when nothing but what the test sends is about to pass the proxy
 * @property {number} [patience] ms; longer than an attempt to connect takes where nobody listens. Default 100
 * @property {NodeJS.Signals} crash ends the server at once
 * @property {NodeJS.Signals} shutdown ends the server in good order
 */

/** Quick to come back, so that no test has to wait; long where only a failure would wait so long. */
const OPTIONS = { reconnect: { backoff: { base: 20, cap: 100 } }, retry: { backoff: { base: 5 } }, timeout: { ping: 2_000 } };

/** @param {Driver} driver */
function keepsTheContract(driver) {
  const testOfOne = driver.pools ? () => {} : test;
  let server;
  let other;
  let counter;
  let proxy;
  let db;

  beforeAll(async () => {
    [server, other] = await Promise.all([driver.start(), driver.start()]);
  });

  afterAll(async () => {
    await Promise.all([server.remove(), other.remove()]);
  });

  beforeEach(async () => {
    counter = await driver.direct(server);
    await counter.reset();
    proxy = await FaultProxy.listen({ upstream: server.port });
    db = driver.wrap(proxy.port, OPTIONS);
  });

  afterEach(async () => {
    jest.restoreAllMocks();
    await db.close();
    await proxy.close();
    await counter.close();
  });

  /** Calls `act`, and waits for the event of the handle. */
  async function told(event, act) {
    const emitter = new EventEmitter();
    db.once(event, (message) => emitter.emit('told', message));
    const hearing = once(emitter, 'told');
    await act();
    return (await hearing)[0];
  }

  /** Makes a fault for what comes next. */
  async function strike(plan) {
    await driver.calm?.(db);
    return proxy.add(plan);
  }

  async function failureOf(promise) {
    const error = await promise.then(() => undefined, (thrown) => thrown);
    if (error === undefined) throw new Error('It succeeded.');
    return error;
  }

  const faultsOf = ({ recovery }) => recovery.attempts.map(({ fault }) => fault && { kind: fault.kind, delivery: fault.delivery });
  const write = (options) => db.run(driver.write, options);
  const read = (options) => db.run(driver.read, { idempotent: true, ...options });

  test('it connects when it is first asked, and says so', async () => {
    expect(db.state).toBe('idle');
    const up = await told('up', () => write());
    expect(up).toEqual({ attempts: 1, downtime: expect.any(Number) });
    expect(db.state).toBe('up');
    expect(await counter.count()).toBe(1);
    expect(db.stats()).toMatchObject({ state: 'up', connects: 1, losses: 0, running: 0, waiting: 0 });
  });

  testOfOne('a reset while it is idle is noticed, kills nobody, and costs the next write nothing', async () => {
    await write();
    const { fault } = await told(driver.heals ? 'down' : 'degraded', () => proxy.resetAll());
    expect(fault).toMatchObject({ kind: 'reset' });
    await write();
    expect(await counter.count()).toBe(2);
    expect(db.state).toBe('up');
  });

  test('a write that was lost on its way is not repeated: it might have arrived', async () => {
    await read();
    await strike({ type: 'reset', on: 'request', times: 1 });
    const error = await failureOf(write());
    expect(faultsOf(error)).toEqual([{ kind: 'reset', delivery: 'unknown' }]);
    expect(error.recovery.gaveUp).toBe('not-idempotent');
    expect(await counter.count()).toBe(0);
  });

  test('the same, declared idempotent, is repeated', async () => {
    await read();
    const fault = await strike({ type: 'reset', on: 'request', times: 1 });
    await write({ idempotent: true });
    expect(fault.hits).toBe(1);
    expect(await counter.count()).toBe(1);
  });

  test('a write whose answer was lost was done, once, and the program is told that nobody knows', async () => {
    await read();
    await strike({ type: 'reset', on: 'response', times: 1 });
    const error = await failureOf(write());
    expect(faultsOf(error)).toEqual([{ kind: 'reset', delivery: 'unknown' }]);
    expect(error.recovery.gaveUp).toBe('not-idempotent');
    expect(await counter.count()).toBe(1);
    // The handle goes on, and nothing comes after.
    await read();
    expect(await counter.count()).toBe(1);
  });

  test('a FIN in place of the answer is the same', async () => {
    await read();
    await strike({ type: 'close', on: 'response', times: 1 });
    const error = await failureOf(write());
    expect(faultsOf(error)).toEqual([{ kind: 'reset', delivery: 'unknown' }]);
    expect(await counter.count()).toBe(1);
    await write();
    expect(await counter.count()).toBe(2);
  });

  test('only the word of the program makes a write be done twice', async () => {
    await read();
    await strike({ type: 'reset', on: 'response', times: 1 });
    await write({ idempotent: true });
    expect(await counter.count()).toBe(2);
  });

  test('connections that are refused, or reset while they are made, lose nothing: the write was not sent', async () => {
    await told('up', () => read());
    // Nothing of it can be left over from before.
    await told(driver.heals ? 'down' : 'degraded', () => {
      proxy.add({ type: 'reset', on: 'accept', times: 2 });
      proxy.resetAll();
    });
    await write();
    expect(await counter.count()).toBe(1);
  });

  test('a write that begins while the server restarts waits for it, and is done once', async () => {
    await write();
    await counter.close();
    await told(driver.heals ? 'down' : 'degraded', () => server.stop(driver.crash));
    let writing;
    const { fault } = await told('reconnecting', () => {
      writing = write();
    });
    expect(fault.delivery).toBe('not-sent');
    await server.start();
    await writing;
    counter = await driver.direct(server);
    expect(await counter.count()).toBe(2);
    expect(db.state).toBe('up');
  });

  test('a shutdown in good order is no other', async () => {
    await write();
    await counter.close();
    await server.stop(driver.shutdown);
    await server.start();
    await read();
    await write();
    counter = await driver.direct(server);
    expect(await counter.count()).toBe(2);
  });

  test('a failover: the address leads to another server', async () => {
    await write();
    const { port } = proxy;
    const there = await driver.direct(other);
    await there.reset();
    await proxy.close();
    const writing = read().then(() => write());
    proxy = await FaultProxy.listen({ upstream: other.port, port });
    await writing;
    expect([await counter.count(), await there.count()]).toEqual([1, 1]);
    await there.close();
  });

  testOfOne('after ten minutes of silence connections that vanished are found before they are used', async () => {
    await Promise.all([write(), write(), write()]);
    const now = performance.now.bind(performance);
    jest.spyOn(performance, 'now').mockImplementation(() => now() + 600_000);
    const before = db.stats().pings;
    const { open } = proxy.stats().connections;
    expect(open).toBe(driver.heals ? 1 : 3);
    const vanished = proxy.add({ type: 'blackhole', on: 'idle' });
    while (vanished.hits < open) await pause(5);
    vanished.remove();
    await write();
    expect(await counter.count()).toBe(4);
    const { pings } = db.stats();
    // One is waited for. Nobody waits for the others, which have been idle as well.
    expect(pings.failed - before.failed).toBe(1);
    expect(proxy.stats().connections.accepted).toBe(open + 1);
    // Ten minutes prove nothing below a quarter of a minute.
    expect(pings.after).toBe(15_000);
  });

  test('a wait for a server that is not there ends, and says why', async () => {
    await db.close();
    await proxy.close();
    db = driver.wrap(proxy.port, { ...OPTIONS, timeout: { wait: driver.patience ?? 100 }, name: 'main' });
    const error = await failureOf(write());
    expect(error).toMatchObject({ code: 'ETIMEDOUT', phase: 'connect', delivery: 'not-sent', transient: true });
    expect(error.reason).toContain('ECONNREFUSED');
    expect(error.cause).toBeDefined();
    expect(error.recovery.gaveUp).toBe('attempts-exhausted');
    expect(db.state).not.toBe('up');
  });

  test('a timeout ends a call whose answer does not come, and what is known of it is nothing', async () => {
    await read();
    const silence = await strike({ type: 'stall', on: 'response' });
    const error = await failureOf(write({ timeout: 1_500 }));
    expect(error).toMatchObject({ code: 'ETIMEDOUT', delivery: 'unknown' });
    expect(error.recovery.gaveUp).toBe('not-idempotent');
    expect(await counter.count()).toBe(1);
    silence.remove();
    await write();
    expect(await counter.count()).toBe(2);
  });

  test('an abort ends a call at once, with its reason', async () => {
    await read();
    const silence = await strike({ type: 'stall', on: 'response' });
    const controller = new AbortController();
    const reason = new Error('enough');
    const running = db.run((connection, { signal }) => {
      queueMicrotask(() => controller.abort(reason));
      expect(signal.aborted).toBe(false);
      return driver.write(connection);
    }, { idempotent: true, signal: controller.signal });
    expect(await failureOf(running)).toBe(reason);
    silence.remove();
    await read();
  });

  test('a bug of the program is thrown as it is, and costs no connection', async () => {
    await read();
    const { connections } = proxy.stats();
    const bug = new TypeError('x is not a function');
    expect(await failureOf(db.run(() => {
      throw bug;
    }, { idempotent: true }))).toBe(bug);
    await write();
    expect(proxy.stats().connections.accepted).toBe(connections.accepted);
  });

  test('an error of somebody else says nothing about what was sent here: its "not sent" is not believed', async () => {
    await read();
    let calls = 0;
    const error = await failureOf(db.run(() => {
      calls += 1;
      throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', syscall: 'connect' });
    }));
    expect(error.recovery).toMatchObject({ gaveUp: 'not-idempotent', attempts: [{ fault: { kind: 'refused', delivery: 'unknown' } }] });
    expect(calls).toBe(1);
    await write();
  });

  test('what the server refuses is not repeated, and costs no connection', async () => {
    await read();
    const { connections } = proxy.stats();
    const error = await failureOf(db.run(driver.refused, { idempotent: true }));
    expect(error.recovery).toMatchObject({ gaveUp: 'not-transient', attempts: [{ fault: { delivery: 'answered', kind: 'client' } }] });
    await write();
    expect(proxy.stats().connections.accepted).toBe(connections.accepted);
  });

  test('close is final: what waits is told, what runs comes to its end, what comes later is refused', async () => {
    await read();
    const begun = new EventEmitter();
    const running = db.run(async (connection) => {
      begun.emit('begun');
      await once(begun, 'finish');
      return driver.write(connection);
    });
    await once(begun, 'begun');
    const closing = db.close();
    expect(db.state).toBe('closed');
    expect(await failureOf(write())).toMatchObject({ code: 'ERR_PERSISTENT_CLOSED', delivery: 'not-sent' });
    expect(await failureOf(db.get())).toMatchObject({ code: 'ERR_PERSISTENT_CLOSED' });
    begun.emit('finish');
    await Promise.all([running, closing]);
    expect(await counter.count()).toBe(1);
    expect(db.close()).toBe(closing);
  });

  test('what has not come to its end when the time to close is over is cut, and its outcome unknown', async () => {
    await db.close();
    db = driver.wrap(proxy.port, { ...OPTIONS, timeout: { close: 100 } });
    await read();
    const silence = await strike({ type: 'stall', on: 'response' });
    const running = failureOf(write());
    while ((await counter.count()) === 0) await pause(1);
    await db.close();
    expect(await running).toMatchObject({ code: 'ERR_PERSISTENT_CLOSED', delivery: 'unknown' });
    silence.remove();
    // Not one of its sockets is left.
    while (proxy.stats().connections.open > 0) await pause(1);
  });
}

module.exports = { OPTIONS, keepsTheContract };

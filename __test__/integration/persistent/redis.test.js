'use strict';

const { EventEmitter, once } = require('node:events');
const { Redis } = require('ioredis');
const { createClient } = require('redis');
const { FaultProxy, wrapRedis } = require('../../..');
const { describeRedis, startRedis } = require('../../support/redis');
const { OPTIONS, keepsTheContract } = require('./contract');

const COMMON = {
  heals: true,
  crash: 'SIGKILL',
  shutdown: 'SIGTERM',
  start: () => startRedis(),
  async direct(server) {
    const client = createClient({ socket: { port: server.port, host: '127.0.0.1' } });
    client.on('error', () => {});
    await client.connect();
    return {
      count: async () => Number(await client.get('writes')),
      reset: () => client.del('writes'),
      close: () => client.destroy(),
      /** A replica of nobody. */
      readOnly: (is) => (is ? client.replicaOf('127.0.0.1', 1) : client.replicaOf('NO', 'ONE')),
    };
  },
  write: (client) => client.incr('writes'),
  read: (client) => client.get('writes'),
};

describeRedis('wrapRedis of ioredis', () => keepsTheContract({
  ...COMMON,
  wrap: (port, options) => wrapRedis(new Redis({ port, host: '127.0.0.1', lazyConnect: true, retryStrategy: () => 20 }), options),
  refused: (client) => client.lpush('writes-of-another-type', 1).then(() => client.get('writes-of-another-type')),
}));

describeRedis('wrapRedis of node-redis', () => keepsTheContract({
  ...COMMON,
  wrap: (port, options) => wrapRedis(createClient({ socket: { port, host: '127.0.0.1', reconnectStrategy: () => 20 } }), options),
  refused: (client) => client.lPush('writes-of-another-type', '1').then(() => client.get('writes-of-another-type')),
}));

describeRedis('what is ioredis\'s own', () => {
  let server;
  let counter;
  let proxy;
  let client;
  let db;

  beforeAll(async () => {
    server = await startRedis();
  });

  afterAll(() => server.remove());

  beforeEach(async () => {
    counter = await COMMON.direct(server);
    await counter.reset();
    proxy = await FaultProxy.listen({ upstream: server.port });
  });

  afterEach(async () => {
    await db.close();
    await proxy.close();
    await counter.close();
  });

  function wrap(clientOptions, options) {
    client = new Redis({ port: proxy.port, host: '127.0.0.1', lazyConnect: true, retryStrategy: () => 20, ...clientOptions });
    db = wrapRedis(client, { ...OPTIONS, ...options });
    return db;
  }

  const failureOf = (promise) => promise.then(() => expect('success').toBe('a failure'), (error) => error);

  test('a command whose answer is lost is not sent again, nor forgotten: also one that is not run by us', async () => {
    wrap();
    await db.get();
    proxy.add({ type: 'reset', on: 'response', times: 1 });
    const errors = await Promise.all([failureOf(client.incr('writes')), failureOf(client.incr('writes'))]);
    for (const error of errors) expect(error).toMatchObject({ code: 'ECONNRESET', delivery: 'unknown', kind: 'reset' });
    expect(errors[0]).not.toBe(errors[1]);
    await db.run(COMMON.read);
    // The second may have been cut off before it reached the server. None was done twice.
    expect([1, 2]).toContain(await counter.count());
  });

  test('what it meant to send again when it was given to us is not forgotten', async () => {
    client = new Redis({ port: proxy.port, host: '127.0.0.1', retryStrategy: () => 20 });
    await client.set('writes', 0);
    proxy.add({ type: 'reset', on: 'response', times: 1 });
    const writing = failureOf(client.incr('writes'));
    const closed = new EventEmitter();
    client.on('error', () => {});
    client.once('close', () => closed.emit('told'));
    await once(closed, 'told');
    db = wrapRedis(client, OPTIONS);
    await db.run(COMMON.read);
    expect(await writing).toMatchObject({ code: 'ECONNRESET', delivery: 'unknown' });
    expect(await counter.count()).toBe(1);
  });

  test('pipelines and transactions settle as well', async () => {
    wrap();
    await db.get();
    proxy.add({ type: 'reset', on: 'response', times: 1 });
    const results = await client.pipeline().incr('writes').incr('writes').exec();
    expect(results.map(([error]) => error.delivery)).toEqual(['unknown', 'unknown']);
    await db.run(COMMON.read);
    proxy.add({ type: 'reset', on: 'response', times: 1 });
    expect(await failureOf(client.multi().incr('writes').exec())).toBeInstanceOf(Error);
    await db.run(COMMON.read);
    expect(await counter.count()).toBe(3);
  });

  test('one that always ends its connection ends too', async () => {
    wrap();
    await db.get();
    const faults = proxy.add({ type: 'reset', on: 'response' });
    expect(await failureOf(client.incr('writes'))).toMatchObject({ delivery: 'unknown' });
    faults.remove();
    expect(await client.get('writes')).toBe('1');
  });

  test('a client that has given up is asked to come back', async () => {
    wrap({ retryStrategy: () => null });
    await db.run(COMMON.write);
    const down = new Promise((resolve) => {
      db.once('down', resolve);
    });
    proxy.resetAll();
    await down;
    await db.run(COMMON.write);
    expect(await counter.count()).toBe(2);
  });

  test('what it rejects for want of a connection is not known to be unsent', async () => {
    wrap({ maxRetriesPerRequest: 0 });
    await db.get();
    proxy.add({ type: 'reset', on: 'response', times: 1 });
    const error = await failureOf(db.run(COMMON.write));
    expect(error.name).toBe('MaxRetriesPerRequestError');
    expect(error.recovery).toMatchObject({ gaveUp: 'not-idempotent', attempts: [{ fault: { delivery: 'unknown' } }] });
    expect(await counter.count()).toBe(1);
  });

  test('without its offline queue, a command that met no connection was not sent, and is repeated', async () => {
    wrap({ enableOfflineQueue: false });
    await db.get();
    let calls = 0;
    await db.run((redis) => {
      calls += 1;
      if (calls === 1) redis.stream.destroy();
      return redis.incr('writes');
    });
    expect(calls).toBe(2);
    expect(await counter.count()).toBe(1);
  });

  test('a server that answers READONLY has done nothing, and is looked for anew', async () => {
    wrap();
    await db.get();
    const { accepted } = proxy.stats().connections;
    await counter.readOnly(true);
    const error = await failureOf(db.run(COMMON.write));
    await counter.readOnly(false);
    expect(error.recovery.attempts[0].fault).toMatchObject({ code: 'REDIS_READONLY', delivery: 'answered', transient: true });
    await db.run(COMMON.write);
    expect(await counter.count()).toBe(1);
    expect(proxy.stats().connections.accepted).toBe(accepted + 1);
  });
});

describeRedis('what is node-redis\'s own', () => {
  test('a client that has given up is asked to come back, and nobody has to listen to its errors', async () => {
    const server = await startRedis();
    const counter = await COMMON.direct(server);
    const proxy = await FaultProxy.listen({ upstream: server.port });
    const client = createClient({ socket: { port: proxy.port, host: '127.0.0.1', reconnectStrategy: false } });
    const db = wrapRedis(client, OPTIONS);
    await db.run(COMMON.write);
    const down = new Promise((resolve) => {
      db.once('down', resolve);
    });
    proxy.resetAll();
    await down;
    await db.run(COMMON.write);
    expect(await counter.count()).toBe(2);
    await db.close();
    await proxy.close();
    await counter.close();
    await server.remove();
  });
});

test('a cluster, or anything else, is refused', () => {
  expect(() => wrapRedis({})).toThrow(/client must be a Redis of the package 'ioredis', or what createClient of 'redis' returns/);
});

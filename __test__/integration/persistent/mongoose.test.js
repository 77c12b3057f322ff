'use strict';

const { once, EventEmitter } = require('node:events');
const { setTimeout: pause } = require('node:timers/promises');
const mongoose = require('mongoose');
const { MongoClient } = require('mongodb');
const { FaultProxy, classify, wrapMongoose } = require('../../..');
const { startMongo } = require('../../support/mongo');
const { OPTIONS, keepsTheContract } = require('./contract');

/** Quick to notice, so that no test has to wait. */
const QUICK = { serverSelectionTimeoutMS: 1_000, heartbeatFrequencyMS: 1_000, minHeartbeatFrequencyMS: 50, retryWrites: false, retryReads: false };

const COMMON = {
  heals: true,
  pools: true,
  // The next one is a second away.
  calm: async ({ connection }) => { await once(connection.client, 'serverHeartbeatSucceeded'); },
  patience: 3_000,
  crash: 'SIGKILL',
  shutdown: 'SIGTERM',
  start: () => startMongo(),
  async direct(server) {
    const client = await MongoClient.connect(`mongodb://127.0.0.1:${server.port}/test`);
    const writes = client.db().collection('writes');
    return {
      count: () => writes.countDocuments(),
      reset: () => writes.deleteMany({}),
      close: () => client.close(),
    };
  },
  write: (connection) => connection.collection('writes').insertOne({ at: 1 }),
  read: (connection) => connection.collection('writes').findOne({}),
};

describe('wrapMongoose', () => keepsTheContract({
  ...COMMON,
  wrap: (port, options) => wrapMongoose(mongoose.createConnection(), {
    uri: uriOf(port), connectOptions: QUICK, ...options,
  }),
  refused: (connection) => connection.db.command({ noSuchCommand: 1 }),
}));

function uriOf(port, options = '') {
  return `mongodb://127.0.0.1:${port}/test${options}`;
}

describe('what is mongoose\'s own', () => {
  let server;
  let counter;
  let proxy;
  let connection;
  let db;

  beforeAll(async () => {
    server = await startMongo();
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

  function wrap(options) {
    connection = mongoose.createConnection();
    db = wrapMongoose(connection, { uri: uriOf(proxy.port), connectOptions: QUICK, ...OPTIONS, ...options });
    return db;
  }

  async function told(event, act) {
    const emitter = new EventEmitter();
    db.once(event, (message) => emitter.emit('told', message));
    const hearing = once(emitter, 'told');
    await act();
    return (await hearing)[0];
  }

  const failureOf = (promise) => promise.then(() => expect('success').toBe('a failure'), (error) => error);

  test('a first connect that is refused is tried again, and no client is left of it', async () => {
    const { port } = proxy;
    await proxy.close();
    wrap();
    const getting = db.get();
    await told('reconnecting', () => {});
    proxy = await FaultProxy.listen({ upstream: server.port, port });
    expect(await getting).toBe(connection);
    await db.close();
    // The monitors of clients that came to nothing would go on connecting.
    while (proxy.stats().connections.open > 0) await pause(1);
  });

  test('a reset of all that is idle costs the next write nothing', async () => {
    wrap();
    await db.run(COMMON.write);
    proxy.resetAll();
    await db.run(COMMON.write, { idempotent: true });
    expect(await counter.count()).toBe(2);
  });

  test('a server that falls silent is told of, and when it answers again', async () => {
    wrap({ connectOptions: { ...QUICK, connectTimeoutMS: 500 } });
    await db.get();
    const silence = proxy.add({ type: 'blackhole', on: 'idle' });
    await told('down', () => {});
    expect(connection.readyState).toBe(0);
    await told('up', () => silence.remove());
    await db.run(COMMON.write);
    expect(await counter.count()).toBe(1);
  });

  test('models are the program\'s own, and a document is not saved twice behind its back', async () => {
    wrap();
    const Note = connection.model('Note', new mongoose.Schema({ text: String }));
    await db.get();
    await Note.deleteMany({});
    await COMMON.calm(db);
    proxy.add({ type: 'reset', on: 'response', times: 1 });
    const error = await failureOf(db.run(() => new Note({ text: 'once' }).save()));
    expect(error.name).toBe('MongoNetworkError');
    expect(error.recovery.attempts.at(-1).fault).toMatchObject({ code: 'ECONNRESET', delivery: 'unknown' });
    expect(error.recovery.gaveUp).toBe('not-idempotent');
    expect(await db.run(() => Note.countDocuments({ text: 'once' }), { idempotent: true })).toBe(1);
  });

  test('what is buffered while there is no connection has a bound, and was never sent', async () => {
    wrap({ maxWaiting: 2 });
    await proxy.close();
    const Note = connection.model('Note', new mongoose.Schema({ text: String }, {
      autoCreate: false, autoIndex: false, bufferTimeoutMS: 300,
    }));
    const errors = await Promise.all([1, 2, 3].map(() => failureOf(Note.create({ text: 'never' }))));
    const codes = errors.map((error) => classify(error)).map(({ code, delivery }) => [code, delivery]);
    expect(codes).toContainEqual(['ERR_PERSISTENT_WAITING', 'not-sent']);
    expect(codes.filter(([code]) => code === 'ETIMEDOUT')).toEqual([['ETIMEDOUT', 'not-sent'], ['ETIMEDOUT', 'not-sent']]);
  });

  test('a connection that the program has opened is taken as it is', async () => {
    connection = await mongoose.createConnection(uriOf(proxy.port), { ...QUICK }).asPromise();
    db = wrapMongoose(connection, OPTIONS);
    await db.run(COMMON.write);
    // The program closes the client under it: the handle opens another one.
    await connection.client.close();
    await db.run(COMMON.write);
    expect(await counter.count()).toBe(2);
  });

  test('mongoose itself stands for its default connection', async () => {
    db = wrapMongoose(mongoose, { uri: uriOf(proxy.port), connectOptions: QUICK });
    expect(db.connection).toBe(mongoose.connection);
    expect(await db.get()).toBe(mongoose.connection);
  });

  test('options that cannot be right are named', async () => {
    db = wrapMongoose(mongoose.createConnection());
    for (const target of [undefined, {}, 'mongodb://x']) expect(() => wrapMongoose(target)).toThrow(/^target must be/);
    expect(() => wrapMongoose(mongoose, { uri: 7 })).toThrow(/options\.uri/);
    expect(() => wrapMongoose(mongoose, { connectOptions: 7 })).toThrow(/options\.connectOptions/);
    expect(() => wrapMongoose(mongoose, { url: 'x' })).toThrow(/url/);
    expect(await failureOf(db.get())).toMatchObject({ cause: { message: expect.stringContaining('options.uri must be given') } });
  });
});

test('a member of a replica set, whose driver repeats single writes: a lost answer does not make two of them', async () => {
  const proxy = await FaultProxy.listen({ upstream: 1 });
  const { port } = proxy;
  await proxy.close();
  const server = await startMongo({ set: port });
  const through = await FaultProxy.listen({ upstream: server.port, port });
  const db = wrapMongoose(mongoose.createConnection(), {
    uri: uriOf(port, '?replicaSet=set'), connectOptions: { serverSelectionTimeoutMS: 5_000, heartbeatFrequencyMS: 500 }, ...OPTIONS,
  });
  try {
    await db.get();
    await COMMON.calm(db);
    const fault = through.add({ type: 'reset', on: 'request', times: 1 });
    await db.run((connection) => connection.collection('writes').insertOne({ at: 2 }));
    expect(fault.hits).toBe(1);
    expect(await db.run((connection) => connection.collection('writes').countDocuments({ at: 2 }), { idempotent: true })).toBe(1);
  } finally {
    await db.close();
    await through.close();
    await server.remove();
  }
});

'use strict';

/**
 * What the drivers really throw, by their own hand and without a wrapper, against servers that are there. Drivers have neither
 * code nor type for much of it, and are told by their words: a version that says it otherwise is noticed here.
 */

const { Redis } = require('ioredis');
const mongodb = require('mongodb');
const mysql = require('mysql2');
const mysqlPromise = require('mysql2/promise');
const pg = require('pg');
const { createClient } = require('redis');
const { FaultProxy, classify } = require('../..');
const { describeMariadb, startMariadb } = require('../support/mariadb');
const { startMongo } = require('../support/mongo');
const { describePostgres, startPostgres } = require('../support/postgres');
const { describeRedis, startRedis } = require('../support/redis');

/** Ms: where a limit has to be reached, and must not be by what goes well before. */
const SHORT = 1_000;

const RESET = { code: 'ECONNRESET', kind: 'reset', delivery: 'unknown', transient: true, reconnect: true };
const SLOW = { code: 'ETIMEDOUT', kind: 'timeout', phase: 'wait', delivery: 'unknown', transient: true };
const DEAD = { code: 'ECONNRESET', phase: 'send', delivery: 'not-sent', transient: true };
const REFUSED = { code: 'ECONNREFUSED', kind: 'refused', phase: 'connect', delivery: 'not-sent', transient: true };
const CLOSED = { code: 'ERR_CLIENT_CLOSED', kind: 'closed', transient: false };
const REFUSAL = { kind: 'client', phase: 'receive', delivery: 'answered', transient: false };
const FULL = { code: 'ETIMEDOUT', phase: 'connect', delivery: 'not-sent', transient: true, reconnect: false };

let server;
let proxy;
/** What a test leaves open. @type {(() => unknown)[]} */
let ends;

beforeEach(async () => {
  ends = [];
  proxy = await FaultProxy.listen({ upstream: server.port });
});

afterEach(async () => {
  for (const end of ends.reverse()) await Promise.resolve(end()).catch(() => {});
  await proxy.close();
});

afterAll(() => server.remove());

/** Held by `beforeAll` of each suite, since one whose server is absent has none. */
const serverOf = (start) => async () => {
  await server?.remove();
  server = await start();
};

async function failureOf(promise) {
  const error = await promise.then(() => undefined, (thrown) => thrown);
  if (error === undefined) throw new Error('It succeeded.');
  return error;
}

const strike = (type, on) => proxy.add({ type, on });

/** @param {[string, () => Promise<Error>, RegExp, object][]} rows what happens, how, what is said, what that is */
const play = (rows) => test.each(rows)('%s', async (_, happen, words, fault) => {
  const error = await happen();
  expect(`${error.name} ${error.constructor.name} ${error.code}: ${error.message}`).toMatch(words);
  expect(classify(error)).toMatchObject(fault);
});

describePostgres('pg', () => {
  beforeAll(serverOf(() => startPostgres()));

  const address = (port = proxy.port) => ({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' });

  async function connected(options) {
    const client = new pg.Client({ ...address(), ...options });
    client.on('error', () => {});
    ends.push(() => client.end());
    await client.connect();
    return client;
  }

  function pool(options) {
    const made = new pg.Pool({ ...address(), ...options });
    made.on('error', () => {});
    ends.push(() => made.ended || made.end());
    return made;
  }

  const struck = async (type, on, options) => {
    const client = await connected(options);
    strike(type, on);
    return failureOf(client.query('SELECT 1'));
  };

  play([
    ['a reset in a statement', () => struck('reset', 'request'), /ECONNRESET/, RESET],
    ['a FIN in a statement', () => struck('close', 'request'), /undefined: Connection terminated unexpectedly/, RESET],
    ['a silence', () => struck('stall', 'request', { query_timeout: SHORT }), /undefined: Query read timeout/, SLOW],
    ['nobody listens', async () => {
      await proxy.close();
      return failureOf(connected());
    }, /ECONNREFUSED/, REFUSED],
    ['a silence while it connects', () => {
      strike('stall', 'request');
      return failureOf(connected({ connectionTimeoutMillis: SHORT }));
    }, /undefined: timeout expired/, { code: 'ETIMEDOUT', phase: 'connect', delivery: 'unknown', transient: true }],
    ['a client that is dead', async () => {
      const client = await connected();
      proxy.resetAll();
      await new Promise((resolve) => {
        client.once('error', resolve);
      });
      return failureOf(client.query('SELECT 1'));
    }, /undefined: Client has encountered a connection error and is not queryable/, DEAD],
    ['a client that was ended', async () => {
      const client = await connected();
      await client.end();
      return failureOf(client.query('SELECT 1'));
    }, /undefined: Client was closed and is not queryable/, DEAD],
    ['a pool whose connections are in use', async () => {
      const small = pool({ max: 1, connectionTimeoutMillis: SHORT });
      const client = await small.connect();
      const error = await failureOf(small.connect());
      client.release();
      return error;
    }, /undefined: timeout exceeded when trying to connect/, FULL],
    ['a pool that was ended', async () => {
      const ended = pool();
      await ended.end();
      return failureOf(ended.query('SELECT 1'));
    }, /undefined: Cannot use a pool after calling end on the pool/, CLOSED],
    ['an administrator ends it', async () => {
      const [client, admin] = [await connected(), await connected()];
      const running = failureOf(client.query('SELECT pg_sleep(60)'));
      while ((await admin.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")).rowCount === 0);
      return running;
    }, /DatabaseError 57P01/, { code: '57P01', kind: 'server', delivery: 'unknown', transient: true, reconnect: true }],
    ['a refusal', async () => failureOf((await connected()).query('SELECT * FROM nowhere')), /DatabaseError 42P01/, { code: '42P01', ...REFUSAL }],
  ]);
});

describeMariadb('mysql2', () => {
  beforeAll(serverOf(startMariadb));

  const address = () => ({ host: '127.0.0.1', port: proxy.port, user: 'root' });

  async function connected(options) {
    const connection = await mysqlPromise.createConnection({ ...address(), ...options });
    connection.connection.on('error', () => {});
    ends.push(() => connection.destroy());
    return connection;
  }

  function pool(options) {
    const made = mysqlPromise.createPool({ ...address(), ...options });
    ends.push(() => made.end());
    return made;
  }

  const struck = async (type, on, sql = 'SELECT 1') => {
    const connection = await connected();
    strike(type, on);
    return failureOf(connection.query(sql));
  };

  play([
    ['a reset in a statement', () => struck('reset', 'request'), /ECONNRESET/, RESET],
    ['a FIN in a statement', () => struck('close', 'request'), /PROTOCOL_CONNECTION_LOST/, RESET],
    ['a silence', () => struck('stall', 'request', { sql: 'SELECT 1', timeout: SHORT }), /PROTOCOL_SEQUENCE_TIMEOUT/, SLOW],
    ['nobody listens', async () => {
      await proxy.close();
      return failureOf(connected());
    }, /ECONNREFUSED/, REFUSED],
    ['a silence while it connects', () => {
      strike('stall', 'response');
      return failureOf(connected({ connectTimeout: SHORT }));
    }, /ETIMEDOUT/, { code: 'ETIMEDOUT', phase: 'connect', transient: true }],
    ['a connection that is dead', async () => {
      const connection = await connected();
      proxy.resetAll();
      await new Promise((resolve) => {
        connection.connection.once('error', resolve);
      });
      return failureOf(connection.query('SELECT 1'));
    }, /undefined: Can't add new command when connection is in closed state/, DEAD],
    ['a pool whose connections are in use', async () => {
      const small = pool({ connectionLimit: 1, waitForConnections: false });
      const connection = await small.getConnection();
      const error = await failureOf(small.getConnection());
      connection.release();
      return error;
    }, /undefined: No connections available\./, FULL],
    ['a pool that was ended', async () => {
      const ended = mysql.createPool(address());
      await ended.promise().end();
      return failureOf(ended.promise().query('SELECT 1'));
    }, /undefined: Pool is closed\./, CLOSED],
    ['a refusal', async () => failureOf((await connected()).query('SELECT nonsense')), /ER_BAD_FIELD_ERROR/, { code: 'ER_BAD_FIELD_ERROR', ...REFUSAL }],
  ]);
});

describeRedis('Redis', () => {
  beforeAll(serverOf(startRedis));

  describe('ioredis', () => {
    async function connected(options) {
      const client = new Redis({ port: proxy.port, host: '127.0.0.1', lazyConnect: true, retryStrategy: () => 20, ...options });
      client.on('error', () => {});
      ends.push(() => client.disconnect());
      await client.connect();
      return client;
    }

    const struck = async (type, options) => {
      const client = await connected(options);
      strike(type, 'request');
      return failureOf(client.incr('n'));
    };

    play([
      ['no retries left', () => struck('reset', { maxRetriesPerRequest: 0 }), /MaxRetriesPerRequestError/, RESET],
      ['no reconnection', () => struck('close', { retryStrategy: null }), /undefined: Connection is closed\./, RESET],
      ['a silence', () => struck('stall', { commandTimeout: SHORT }), /undefined: Command timed out/, SLOW],
      ['nobody listens', async () => {
        await proxy.close();
        return failureOf(connected({ retryStrategy: null }));
      }, /undefined: Connection is closed\./, RESET],
      ['no offline queue', async () => {
        const client = await connected({ enableOfflineQueue: false });
        client.stream.destroy();
        return failureOf(client.incr('n'));
      }, /undefined: Stream isn't writeable and enableOfflineQueue options is false/, DEAD],
      ['a refusal', async () => failureOf((await connected()).call('NONSENSE')), /^ReplyError/, { code: 'REDIS_ERR', ...REFUSAL }],
    ]);
  });

  describe('node-redis', () => {
    async function connected({ socket, ...options } = {}) {
      const client = createClient({ socket: { port: proxy.port, host: '127.0.0.1', reconnectStrategy: false, ...socket }, ...options });
      client.on('error', () => {});
      ends.push(() => client.destroy());
      await client.connect();
      return client;
    }

    const struck = async (type, options) => {
      const client = await connected(options);
      strike(type, 'request');
      return failureOf(client.incr('n'));
    };

    play([
      ['a reset in a command', () => struck('reset'), /ECONNRESET/, RESET],
      ['a FIN in a command', () => struck('close'), /SocketClosedUnexpectedlyError undefined: Socket closed unexpectedly/, RESET],
      ['a silence', () => struck('stall', { socket: { socketTimeout: SHORT } }), /SocketTimeoutError undefined: Socket timeout/, SLOW],
      ['nobody listens', async () => {
        await proxy.close();
        return failureOf(connected());
      }, /ECONNREFUSED/, REFUSED],
      ['a client that is closed', async () => {
        const client = await connected();
        await client.close();
        return failureOf(client.incr('n'));
      }, /ClientClosedError undefined: The client is closed/, DEAD],
      ['a client that is offline', async () => {
        const client = await connected({ disableOfflineQueue: true, socket: { reconnectStrategy: () => SHORT } });
        proxy.resetAll();
        await new Promise((resolve) => {
          client.once('error', resolve);
        });
        return failureOf(client.incr('n'));
      }, /ClientOfflineError undefined: The client is offline/, DEAD],
      ['a client that is destroyed', async () => {
        const client = await connected();
        strike('stall', 'request');
        const running = failureOf(client.incr('n'));
        await new Promise(setImmediate);
        client.destroy();
        return running;
      }, /DisconnectsClientError undefined: Disconnects client/, RESET],
      ['a command that was not written in time', async () => {
        const client = await connected({ commandOptions: { timeout: SHORT }, socket: { reconnectStrategy: () => SHORT } });
        const lost = new Promise((resolve) => {
          client.once('error', resolve);
        });
        await proxy.close();
        await lost;
        return failureOf(client.incr('n'));
      }, /^Error TimeoutError undefined: $/, SLOW],
      ['a refusal', async () => failureOf((await connected()).sendCommand(['NONSENSE'])), /^Error SimpleError/, { code: 'REDIS_ERR', ...REFUSAL }],
    ]);
  });
});

describe('mongodb', () => {
  beforeAll(serverOf(startMongo));

  async function collection(options) {
    const client = new mongodb.MongoClient(`mongodb://127.0.0.1:${proxy.port}/?directConnection=true`, {
      serverSelectionTimeoutMS: 1_000, retryReads: false, retryWrites: false, ...options,
    });
    ends.push(() => client.close(true));
    await client.connect();
    const made = client.db('classify').collection('rows');
    await made.insertOne({ n: 0 });
    return Object.assign(made, { ofClient: client });
  }

  const struck = async (type, options) => {
    const rows = await collection(options);
    strike(type, 'request');
    return failureOf(rows.insertOne({ n: 1 }));
  };

  play([
    ['a reset in an operation', () => struck('reset'), /MongoNetworkError/, RESET],
    ['a FIN in an operation', () => struck('close'), /MongoNetworkError .*closed/, RESET],
    ['a silence', () => struck('stall', { socketTimeoutMS: SHORT }), /MongoNetworkTimeoutError/, SLOW],
    ['nobody listens', async () => {
      await proxy.close();
      return failureOf(collection());
    }, /MongoServerSelectionError/, { ...REFUSED, delivery: 'unknown' }],
    ['a refusal', async () => {
      const rows = await collection();
      return failureOf(rows.ofClient.db('classify').command({ nonsense: 1 }));
    }, /MongoServerError MongoServerError 59/, { code: 'MONGO_59', ...REFUSAL }],
  ]);
});

test('what is not of a database is not taken for it', () => {
  const same = (fields, message = 'words') => classify(Object.assign(new Error(message), fields));
  // `severity` of a validator, and a code of five characters that is the system's.
  expect(same({ severity: 'error', code: 'EPIPE', syscall: 'write' })).toMatchObject({ kind: 'reset' });
  expect(same({ code: 14 })).toMatchObject({ kind: 'unknown' });
  expect(same({ code: 14, details: [], metadata: {} })).toMatchObject({ kind: 'unknown' });
  expect(classify(new DOMException('x', 'AbortError'))).toMatchObject({ kind: 'aborted' });
  class TimeoutError extends Error {}
  expect(classify(new TimeoutError('the charge was not confirmed'))).toMatchObject({ kind: 'unknown', delivery: 'unknown' });
});

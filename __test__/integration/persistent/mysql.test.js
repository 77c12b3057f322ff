'use strict';

const { once } = require('node:events');
const mysql = require('mysql2');
const mysqlPromise = require('mysql2/promise');
const { FaultProxy, wrapMysqlPool } = require('../../..');
const { describeMariadb, startMariadb } = require('../../support/mariadb');
const { OPTIONS, keepsTheContract } = require('./contract');

const connectionTo = (port) => ({ host: '127.0.0.1', port, user: 'root', database: 'test' });

const COMMON = {
  heals: false,
  crash: 'SIGKILL',
  shutdown: 'SIGTERM',
  async start() {
    const server = await startMariadb();
    const connection = await mysqlPromise.createConnection({ ...connectionTo(server.port), database: undefined });
    await connection.query('CREATE DATABASE test');
    await connection.query('CREATE TABLE test.writes (n INT AUTO_INCREMENT PRIMARY KEY) ENGINE=InnoDB');
    await connection.end();
    return server;
  },
  async direct(server) {
    const connection = await mysqlPromise.createConnection(connectionTo(server.port));
    return {
      count: async () => (await connection.query('SELECT count(*) AS n FROM writes'))[0][0].n,
      reset: () => connection.query('DELETE FROM writes'),
      close: () => connection.end().catch(() => {}),
      /** Ends the other connections, as soon as there is one. */
      async killOthers(which = '') {
        for (;;) {
          const [others] = await connection.query(
            `SELECT id FROM information_schema.processlist WHERE id <> connection_id() AND command <> 'Daemon' ${which}`,
          );
          for (const { id } of others) await connection.query(`KILL ${id}`);
          if (others.length > 0) return;
        }
      },
    };
  },
};

describeMariadb('wrapMysqlPool of mysql2/promise', () => keepsTheContract({
  ...COMMON,
  wrap: (port, options) => wrapMysqlPool(mysqlPromise.createPool(connectionTo(port)), options),
  write: (connection) => connection.query('INSERT INTO writes VALUES ()'),
  read: (connection) => connection.query('SELECT count(*) FROM writes'),
  refused: (connection) => connection.query('SELECT * FROM nowhere'),
}));

describeMariadb('wrapMysqlPool of mysql2', () => keepsTheContract({
  ...COMMON,
  wrap: (port, options) => wrapMysqlPool(mysql.createPool(connectionTo(port)), options),
  write: (connection) => connection.promise().query('INSERT INTO writes VALUES ()'),
  read: (connection) => connection.promise().query('SELECT count(*) FROM writes'),
  refused: (connection) => connection.promise().query('SELECT * FROM nowhere'),
}));

describeMariadb('what is mysql2\'s own', () => {
  let server;
  let counter;
  let proxy;
  let pool;
  let db;

  beforeAll(async () => {
    server = await COMMON.start();
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

  function wrap(poolOptions, options) {
    pool = mysqlPromise.createPool({ ...connectionTo(proxy.port), ...poolOptions });
    db = wrapMysqlPool(pool, { ...OPTIONS, ...options });
    return db;
  }

  const failureOf = (promise) => promise.then(() => expect('success').toBe('a failure'), (error) => error);
  const lastOf = ({ recovery }) => recovery.attempts.at(-1).fault;
  const insert = (connection) => connection.query('INSERT INTO writes VALUES ()');

  test('a query that runs into its timeout keeps no place in the pool', async () => {
    wrap({ connectionLimit: 1 });
    const error = await failureOf(db.query({ sql: 'SELECT SLEEP(60)', timeout: 100 }));
    expect(error.code).toBe('PROTOCOL_SEQUENCE_TIMEOUT');
    expect(lastOf(error)).toMatchObject({ code: 'ETIMEDOUT', delivery: 'unknown' });
    await db.run(insert);
    expect(await counter.count()).toBe(1);
  });

  test('a transaction that fails is rolled back before its connection serves another', async () => {
    wrap({ connectionLimit: 1 });
    const error = await failureOf(db.run(async (connection) => {
      await connection.beginTransaction();
      await insert(connection);
      await connection.query('INSERT INTO writes VALUES (1), (1)');
    }));
    expect(error.code).toBe('ER_DUP_ENTRY');
    expect(lastOf(error)).toMatchObject({ kind: 'client', delivery: 'answered' });
    await db.run(insert);
    expect(await counter.count()).toBe(1);
    expect(proxy.stats().connections.accepted).toBe(1);
  });

  test('a COMMIT whose answer was lost: it was done, nobody can know, and it is not done again', async () => {
    wrap();
    await db.query('SELECT 1');
    const error = await failureOf(db.run(async (connection) => {
      await connection.beginTransaction();
      await insert(connection);
      proxy.add({ type: 'reset', on: 'response', times: 1 });
      await connection.commit();
    }));
    expect(lastOf(error)).toMatchObject({ kind: 'reset', delivery: 'unknown' });
    expect(error.recovery.gaveUp).toBe('not-idempotent');
    expect(await counter.count()).toBe(1);
  });

  test('a connection that is killed, idle or at work, is one that was lost', async () => {
    wrap({ connectionLimit: 1 });
    await db.query('SELECT 1');
    const degraded = new Promise((resolve) => {
      db.once('degraded', resolve);
    });
    await counter.killOthers();
    expect((await degraded).fault).toMatchObject({ kind: 'reset', reconnect: true });
    const running = failureOf(db.query('INSERT INTO writes SELECT 1 + SLEEP(60)'));
    await counter.killOthers("AND info LIKE 'INSERT%'");
    expect(lastOf(await running)).toMatchObject({ delivery: 'unknown', transient: true, reconnect: true });
    expect(await counter.count()).toBe(0);
    await db.run(insert);
    expect(await counter.count()).toBe(1);
  });

  test('a connection that dies before its first statement: nothing was sent, so another one is taken', async () => {
    wrap();
    await db.query('SELECT 1');
    const attempts = [];
    await db.run(async (connection, { attempt }) => {
      attempts.push(attempt);
      if (attempt === 1) {
        proxy.resetAll();
        await once(connection.connection, 'error');
      }
      await insert(connection);
    });
    expect(attempts).toEqual([1, 2]);
    expect(await counter.count()).toBe(1);
  });

  test('a connection that dies unused while something was sent over another one: that is not done again', async () => {
    wrap();
    let calls = 0;
    const error = await failureOf(db.run(async (connection) => {
      calls += 1;
      await pool.query('INSERT INTO writes VALUES ()');
      proxy.resetAll();
      await once(connection.connection, 'error');
      await insert(connection);
    }));
    expect(calls).toBe(1);
    expect(lastOf(error)).toMatchObject({ kind: 'reset', delivery: 'unknown' });
    expect(await counter.count()).toBe(1);
  });

  test.each([
    [{ waitForConnections: false }, 'No connections available.'],
    [{ queueLimit: 1 }, 'Queue limit reached.'],
  ])('a pool that is full (%j) is not a server that is gone', async (poolOptions, message) => {
    wrap({ connectionLimit: 1, ...poolOptions }, { retry: 0 });
    const held = await db.getConnection();
    const waiting = poolOptions.queueLimit && db.run(insert);
    const error = await failureOf(db.run(insert));
    expect(error.message).toBe(message);
    expect(lastOf(error)).toMatchObject({ phase: 'connect', delivery: 'not-sent', transient: true, reconnect: false });
    expect(db.stats().losses).toBe(0);
    held.release();
    await waiting;
    await db.run(insert);
    expect(proxy.stats().connections.accepted).toBe(1);
  });

  test('query and execute take what returns a promise', async () => {
    wrap();
    expect((await db.query('SELECT ? AS n', [7]))[0]).toEqual([{ n: 7 }]);
    expect((await db.execute('SELECT ? AS n', ['7']))[0]).toEqual([{ n: '7' }]);
    expect((await failureOf(db.query('SELECT 1', () => {}))).code).toBe('ERR_INVALID_ARG_VALUE');
    const plain = wrapMysqlPool(mysql.createPool(connectionTo(proxy.port)));
    expect((await plain.query('SELECT 1 AS n'))[0]).toEqual([{ n: 1 }]);
    await plain.close();
  });

  test('another thing than a pool is refused', () => {
    expect(() => wrapMysqlPool({})).toThrow(/pool must be a pool of the package 'mysql2'/);
    wrap();
  });
});

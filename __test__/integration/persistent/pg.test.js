'use strict';

const { EventEmitter, once } = require('node:events');
const pg = require('pg');
const { FaultProxy, wrapPgPool } = require('../../..');
const { describePostgres, startPostgres } = require('../../support/postgres');
const { OPTIONS, keepsTheContract } = require('./contract');

const connectionTo = (port) => ({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' });

const AT_WORK = "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'INSERT%' AND state = 'active' AND pid <> pg_backend_pid()";

const DRIVER = {
  heals: false,
  crash: 'SIGQUIT',
  shutdown: 'SIGINT',
  start: () => startPostgres(),
  async direct(server) {
    const client = new pg.Client(connectionTo(server.port));
    client.on('error', () => {});
    await client.connect();
    await client.query('CREATE TABLE IF NOT EXISTS writes (n serial PRIMARY KEY)');
    return {
      count: async () => (await client.query('SELECT count(*)::int AS n FROM writes')).rows[0].n,
      reset: () => client.query('TRUNCATE writes'),
      close: () => client.end(),
      /** Ends the other connections, as soon as there is one. */
      async endOthers(which = '') {
        const others = `FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' ${which}`;
        while ((await client.query(`SELECT pg_terminate_backend(pid) ${others}`)).rowCount === 0);
      },
      /** A statement is running; none is any more. */
      async atWork() {
        while ((await client.query(AT_WORK)).rowCount === 0);
      },
      async atRest() {
        while ((await client.query(AT_WORK)).rowCount > 0);
      },
      limitTo: async (role, connections) => {
        await client.query(`CREATE ROLE ${role} LOGIN CONNECTION LIMIT ${connections}`);
      },
    };
  },
  wrap: (port, options) => wrapPgPool(new pg.Pool(connectionTo(port)), options),
  write: (client) => client.query('INSERT INTO writes DEFAULT VALUES'),
  read: (client) => client.query('SELECT count(*) FROM writes'),
  refused: (client) => client.query('SELECT * FROM nowhere'),
};

describePostgres('wrapPgPool', () => keepsTheContract(DRIVER));

describePostgres('what is pg\'s own', () => {
  let server;
  let counter;
  let proxy;
  let pool;
  let db;

  beforeAll(async () => {
    server = await startPostgres();
  });

  afterAll(() => server.remove());

  beforeEach(async () => {
    counter = await DRIVER.direct(server);
    await counter.reset();
    proxy = await FaultProxy.listen({ upstream: server.port });
  });

  afterEach(async () => {
    await db.close();
    await proxy.close();
    await counter.close();
  });

  function wrap(poolOptions, options) {
    pool = new pg.Pool({ ...connectionTo(proxy.port), ...poolOptions });
    db = wrapPgPool(pool, { ...OPTIONS, ...options });
    return db;
  }

  const failureOf = (promise) => promise.then(() => expect('success').toBe('a failure'), (error) => error);
  const insert = (client) => client.query('INSERT INTO writes DEFAULT VALUES');
  const lastOf = ({ recovery }) => recovery.attempts.at(-1).fault;

  describe('transactions', () => {
    test('one that is cut before its COMMIT was not done, and its client is gone', async () => {
      wrap({ max: 1 });
      await db.query('SELECT 1');
      const error = await failureOf(db.run(async (client) => {
        await client.query('BEGIN');
        await insert(client);
        proxy.add({ type: 'reset', on: 'request', times: 1 });
        await insert(client);
        await client.query('COMMIT');
      }));
      expect(lastOf(error)).toMatchObject({ kind: 'reset', delivery: 'unknown' });
      expect(error.recovery.gaveUp).toBe('not-idempotent');
      expect(pool.totalCount).toBe(0);
      await db.query('SELECT 1');
      expect(await counter.count()).toBe(0);
    });

    test('a COMMIT whose answer was lost: it was done, nobody can know, and it is not done again', async () => {
      wrap();
      await db.query('SELECT 1');
      let calls = 0;
      const error = await failureOf(db.run(async (client) => {
        calls += 1;
        await client.query('BEGIN');
        await insert(client);
        proxy.add({ type: 'reset', on: 'response', times: 1 });
        await client.query('COMMIT');
      }));
      expect(lastOf(error)).toMatchObject({ kind: 'reset', delivery: 'unknown' });
      expect(calls).toBe(1);
      expect(await counter.count()).toBe(1);
    });

    test('one that fails and is left open is rolled back, and its client serves on', async () => {
      wrap({ max: 1 });
      const error = await failureOf(db.run(async (client) => {
        await client.query('BEGIN');
        await insert(client);
        await client.query('INSERT INTO writes VALUES (1), (1)');
      }));
      expect(error.code).toBe('23505');
      expect(lastOf(error)).toMatchObject({ code: '23505', kind: 'client', delivery: 'answered' });
      await db.run(insert);
      expect(await counter.count()).toBe(1);
      expect(proxy.stats().connections.accepted).toBe(1);
    });

    test('one that is forgotten is a mistake that is told', async () => {
      wrap({ max: 1 });
      const error = await failureOf(db.run(async (client) => {
        await client.query('BEGIN');
        await insert(client);
      }));
      expect(error).toMatchObject({ code: 'ERR_TRANSACTION_OPEN', transient: false });
      await db.run(insert);
      expect(await counter.count()).toBe(1);
    });
  });

  describe('what an administrator does', () => {
    test('to an idle connection costs the next statement nothing', async () => {
      wrap({ max: 1 });
      await db.query('SELECT 1');
      const degraded = new Promise((resolve) => {
        db.once('degraded', resolve);
      });
      await counter.endOthers();
      expect((await degraded).fault).toMatchObject({ code: '57P01', transient: true, reconnect: true });
      await db.run(insert);
      expect(await counter.count()).toBe(1);
    });

    test('to a running statement is told as 57P01, and the statement not repeated', async () => {
      wrap({ max: 1 });
      const running = failureOf(db.run((client) => client.query('INSERT INTO writes SELECT 1 FROM pg_sleep(60)')));
      await counter.endOthers("AND query LIKE 'INSERT%' AND wait_event = 'PgSleep'");
      const error = await running;
      expect(error.code).toBe('57P01');
      expect(lastOf(error)).toMatchObject({ code: '57P01', kind: 'server', delivery: 'unknown', reconnect: true });
      expect(error.recovery.gaveUp).toBe('not-idempotent');
      expect(await counter.count()).toBe(0);
      await db.run(insert);
      expect(await counter.count()).toBe(1);
    });
  });

  describe('the pool', () => {
    test('that has no connection left is not a server that is gone: a call waits for a place, and says so', async () => {
      wrap({ max: 1, connectionTimeoutMillis: 2_000 }, { retry: 0 });
      const events = new EventEmitter();
      const held = db.run(() => {
        events.emit('held');
        return once(events, 'release');
      });
      await once(events, 'held');
      const error = await failureOf(db.run(insert));
      expect(lastOf(error)).toMatchObject({ code: 'ETIMEDOUT', phase: 'connect', delivery: 'not-sent', reconnect: false });
      expect(db.stats().losses).toBe(0);
      events.emit('release');
      await held;
      await db.run(insert);
      expect(await counter.count()).toBe(1);
      expect(proxy.stats().connections.accepted).toBe(1);
    });

    test('that has none left for longer than we wait hands no client to nobody', async () => {
      wrap({ max: 1 }, { retry: 0, timeout: { wait: 50 } });
      const client = await db.connect({ timeout: 20_000 });
      expect(await failureOf(db.run(insert))).toMatchObject({ code: 'ETIMEDOUT', delivery: 'not-sent' });
      expect(db.stats().losses).toBe(0);
      client.release();
      (await db.connect({ timeout: 20_000 })).release();
      expect(pool).toMatchObject({ totalCount: 1, idleCount: 1, waitingCount: 0 });
    });

    test('lets no more wait than maxWaiting', async () => {
      wrap({ max: 1 }, { retry: 0, maxWaiting: 1 });
      const client = await db.connect();
      const waiting = [db.run(insert), db.run(insert)];
      expect(await failureOf(db.run(insert))).toMatchObject({ code: 'ERR_PERSISTENT_WAITING', delivery: 'not-sent' });
      expect(db.stats().waiting).toBe(2);
      client.release();
      await Promise.all(waiting);
      expect(await counter.count()).toBe(2);
    });

    test('that is closed while somebody waits for a client tells him', async () => {
      wrap({ max: 1 });
      const client = await db.connect();
      const waiting = failureOf(db.connect());
      const closing = db.close();
      expect(await waiting).toMatchObject({ code: 'ERR_PERSISTENT_CLOSED' });
      client.release();
      await closing;
      expect(await failureOf(db.connect())).toMatchObject({ code: 'ERR_PERSISTENT_CLOSED' });
    });

    test('has keepalive and a limit on connecting, unless it was told otherwise', async () => {
      wrap();
      expect(pool.options).toMatchObject({ keepAlive: true, keepAliveInitialDelayMillis: 15_000, connectionTimeoutMillis: 10_000 });
      await db.close();
      wrap({ keepAlive: false, connectionTimeoutMillis: 5 });
      expect(pool.options).toMatchObject({ keepAlive: false, connectionTimeoutMillis: 5 });
    });

    test('gets the place of a vanished connection back at once', async () => {
      wrap({ max: 1 }, { pingAfter: 0, timeout: { ping: 2_000 } });
      await db.query('SELECT 1');
      const vanished = proxy.add({ type: 'blackhole', on: 'request', times: 1 });
      await Promise.all([db.run(insert), db.run(insert)]);
      expect(vanished.hits).toBe(1);
      expect(await counter.count()).toBe(2);
      expect(db.stats().pings.failed).toBe(1);
    });

    test('of a server that takes no more connections: nothing was sent, and it comes later', async () => {
      wrap({ user: 'limited' }, { retry: { retries: 100, backoff: { base: 5, cap: 5 } } });
      await counter.limitTo('limited', 1);
      const other = new pg.Client({ ...connectionTo(server.port), user: 'limited' });
      other.on('error', () => {});
      await other.connect();
      const refused = new Promise((resolve) => {
        db.on('reconnecting', ({ fault }) => resolve(fault));
      });
      const reading = db.query('SELECT 1');
      expect(await refused).toMatchObject({ code: '53300', kind: 'throttled', delivery: 'not-sent', transient: true });
      await other.end();
      await reading;
    });
  });

  describe('a client', () => {
    test('that dies between two statements ends no process, and nothing of its first is repeated', async () => {
      wrap();
      const error = await failureOf(db.run(async (client) => {
        await insert(client);
        proxy.resetAll();
        await once(client, 'error');
        await insert(client);
      }));
      expect(error.message).toContain('not queryable');
      expect(lastOf(error)).toMatchObject({ delivery: 'unknown' });
      expect(await counter.count()).toBe(1);
    });

    test.each([
      ['run', () => db.run(insert)],
      ['pool.query', () => pool.query('INSERT INTO writes DEFAULT VALUES')],
    ])('that dies unused while %s has sent something over another one: that is not done again', async (_, other) => {
      wrap();
      let calls = 0;
      const error = await failureOf(db.run(async (client) => {
        calls += 1;
        await other();
        proxy.resetAll();
        await once(client, 'error');
        await insert(client);
      }));
      expect(calls).toBe(1);
      expect(lastOf(error)).toMatchObject({ kind: 'reset', delivery: 'unknown' });
      expect(lastOf(error).reason).toMatch(/What the function did before may have been done\.$/);
      expect(await counter.count()).toBe(1);
    });

    test('that dies before its first statement: nothing was sent, so another one is taken', async () => {
      wrap();
      await db.query('SELECT 1');
      const attempts = [];
      await db.run(async (client, { attempt }) => {
        attempts.push(attempt);
        if (attempt === 1) {
          proxy.resetAll();
          await once(client, 'error');
        }
        await insert(client);
      });
      expect(attempts).toEqual([1, 2]);
      expect(await counter.count()).toBe(1);
    });

    test('that is cut while a statement runs: it is done or not, nobody can know, and it is not done again', async () => {
      wrap({ max: 1 });
      const running = failureOf(db.run((client) => client.query('INSERT INTO writes SELECT 1 FROM pg_sleep(0.5)')));
      await counter.atWork();
      proxy.resetAll();
      expect(lastOf(await running)).toMatchObject({ kind: 'reset', delivery: 'unknown' });
      await counter.atRest();
      // Its server does not notice that nobody waits before it is done.
      expect(await counter.count()).toBe(1);
    });

    test('of connect() is tested too, and survives its own end', async () => {
      wrap({ max: 1 }, { pingAfter: 0 });
      const client = await db.connect();
      expect(db.stats().pings.sent).toBe(2);
      proxy.resetAll();
      await once(client, 'error');
      client.release();
      await db.query('SELECT 1');
      expect(proxy.stats().connections.accepted).toBe(2);
    });

    test('that the function has released itself is a mistake that is told', async () => {
      wrap();
      expect((await failureOf(db.run((client) => client.release()))).message).toMatch(/already been released/);
      const bug = new Error('its own');
      expect(await failureOf(db.run((client) => {
        client.release();
        throw bug;
      }))).toBe(bug);
    });

    test('whose query ran into query_timeout does not go back: the statement may go on', async () => {
      wrap({ max: 1, query_timeout: 2_000 });
      const error = await failureOf(db.query('SELECT pg_sleep(60)'));
      expect(lastOf(error)).toMatchObject({ code: 'ETIMEDOUT', delivery: 'unknown' });
      expect(pool.totalCount).toBe(0);
      await db.run(insert);
    });
  });

  test('query takes what returns a promise', async () => {
    wrap();
    expect((await db.query('SELECT $1::int AS n', [7])).rows).toEqual([{ n: 7 }]);
    expect((await db.query({ text: 'SELECT 1', rowMode: 'array' })).rows).toEqual([[1]]);
    expect((await failureOf(db.query('SELECT 1', () => {}))).code).toBe('ERR_INVALID_ARG_VALUE');
    expect(await db.get()).toBe(pool);
  });

  test('another thing than a pool is refused', () => {
    expect(() => wrapPgPool(new pg.Client())).toThrow(/pool must be a Pool of the package 'pg'/);
    wrap();
  });
});

/** Connections that persist, as a TypeScript program uses them. */

import { Redis } from 'ioredis';
import mongoose from 'mongoose';
import mysql from 'mysql2';
import mysqlPromise from 'mysql2/promise';
import { createClient } from 'redis';
import { createPolicy, persistent, wrapMongoose, wrapMysqlPool, wrapPgPool, wrapRedis } from 'unreset';
import type { Fault, GaveUp, Persistent, PersistentOptions, PersistentState, PersistentStats } from 'unreset';

class Client {
  async query(text: string): Promise<{ rows: string[] }> {
    return { rows: [text] };
  }
}

const db: Persistent<Client> = persistent(
  {
    connect: async ({ attempt, signal, lost }) => {
      if (attempt > 1 && signal.aborted) lost(new Error('gone'));
      return new Client();
    },
    close: (client) => client.query('bye'),
    ping: (client, { signal }) => (signal.aborted ? undefined : client.query('ping')),
    isBroken: (client: Client, error) => error instanceof TypeError,
  },
  { name: 'main', reconnect: { retries: 3, onRetry: ({ attempt, delay }) => void [attempt, delay] }, pingAfter: false },
);

({
  retry: createPolicy(),
  reconnect: false,
  timeout: { connect: 1, wait: 2, ping: 3, close: 4 },
  pingAfter: 5,
  maxWaiting: 6,
}) satisfies PersistentOptions;
({ retry: 5, reconnect: 5 }) satisfies PersistentOptions;
// @ts-expect-error budgets are for calls
({ reconnect: { budget: false } }) satisfies PersistentOptions;
// @ts-expect-error it must be possible to end a connection
persistent({ connect: async () => new Client() });

const { rows } = await db.run((client) => client.query('select'), { idempotent: true, signal: AbortSignal.timeout(1), timeout: 1 });
rows satisfies string[];
(await db.run((client, { attempt, signal, lastFault }) => [attempt, signal.aborted, lastFault?.code])) satisfies (number | boolean | string | undefined)[];
(await db.get({ signal: null, timeout: 1 })) satisfies Client;
db.state satisfies PersistentState;
db.on('up', ({ attempts, downtime }) => [attempts, downtime] satisfies number[])
  .once('down', ({ fault, gaveUp }) => {
    fault satisfies Fault;
    gaveUp satisfies GaveUp | undefined;
  })
  .off('degraded', ({ fault }) => fault satisfies Fault)
  .on('reconnecting', ({ attempt, delay, fault }) => [attempt, delay, fault]);
// @ts-expect-error there is no such event
db.on('error', () => {});
const { pings, lastFault }: PersistentStats = db.stats();
[pings.after, pings.sent, pings.failed] satisfies number[];
lastFault?.code satisfies string | undefined;
await db.close();

// The types of pg are in another package; this is the shape of them.
interface PoolClient extends Client {
  release(error?: Error | boolean): void;
}
interface PgPool {
  connect(): Promise<PoolClient>;
  connect(callback: (error: Error | undefined, client: PoolClient | undefined, done: () => void) => void): void;
  query(text: string, values?: unknown[]): Promise<{ rows: number[] }>;
  end(): Promise<void>;
  end(callback: () => void): void;
  on(event: 'error', listener: (error: Error, client: PoolClient) => void): this;
  on(event: 'connect', listener: (client: PoolClient) => void): this;
  readonly totalCount: number;
}
declare const pool: PgPool;
declare const bare: Omit<PgPool, 'connect'> & { connect(): Promise<PoolClient> };
(await wrapPgPool(bare).connect()) satisfies PoolClient;
const sql = wrapPgPool(pool, { name: 'shop' });
(await sql.query('select 1', [1])).rows satisfies number[];
(await sql.run((client) => client.query('select 1'))).rows satisfies string[];
(await sql.connect()).release(true);
sql.pool satisfies PgPool;
// @ts-expect-error it is no `any`
(await sql.connect()).nothing;

const promising = wrapMysqlPool(mysqlPromise.createPool('mysql://localhost'));
await promising.run((connection) => connection.beginTransaction());
(await promising.query('select 1'))[1].length satisfies number;
(await promising.getConnection()).release();
const plain = wrapMysqlPool(mysql.createPool('mysql://localhost'));
await plain.run((connection) => connection.promise().query('select 1'));
// @ts-expect-error it is no `any`
await plain.run((connection) => connection.nothing());
(await plain.execute('select 1', [1]))[1].length satisfies number;

const redis = wrapRedis(new Redis(), { maxWaiting: 1 });
(await redis.run((client) => client.incr('n'))) satisfies number;
const nodeRedis = wrapRedis(createClient());
(await nodeRedis.run((client) => client.incr('n'))) satisfies number;
(await nodeRedis.get()).isReady satisfies boolean;

const mongo = wrapMongoose(mongoose, { uri: 'mongodb://localhost', connectOptions: { maxPoolSize: 2 }, maxWaiting: 2 });
mongo.connection satisfies mongoose.Connection;
(await mongo.run((connection) => connection.collection('notes').countDocuments({}))) satisfies number;
(await wrapMongoose(mongoose.createConnection()).get()).readyState satisfies number;
// @ts-expect-error it is no connection
wrapMongoose({});

'use strict';

/**
 * pg's pool. Traps that are closed here (pg 8): an 'error' of an idle or checked-out client that nobody listens to ends the
 * process; keepalive is off; a connection that vanished in silence is found by the next statement; a dead client that is
 * ended politely keeps those who wait for its place waiting; a wait for a place has no end.
 */

const { classify } = require('../fault');
const { parseOptions, parseCall } = require('./options');
const { openTransactionError } = require('./faults');
const { Persistent, take } = require('./persistent');
const { invalidArgument, invalidType } = require('../validate');

/** The silence before the peer's kernel is asked, ms; as for `Socket`. */
const KEEP_ALIVE = 15_000;

/**
 * @param {import('../..').PgPoolLike} pool
 * @param {import('../..').PersistentOptions} [options]
 * @returns {PersistentPgPool}
 */
function wrapPgPool(pool, options) {
  return new PersistentPgPool(pool, parseOptions(options));
}

class PersistentPgPool extends Persistent {
  constructor(pool, options) {
    checkPool(pool);
    super(sourceOf(pool, options), options);
    /** The pool that was given. */
    this.pool = pool;
  }

  /** As `pool.query`, without a callback. It is not repeated unless nothing of it was sent. */
  query(...args) {
    if (args.some((arg) => typeof arg === 'function' || typeof arg?.submit === 'function')) {
      const accepted = 'a text or a config object; callbacks and cursors need connect()';
      return Promise.reject(invalidArgument(`query must be given ${accepted}.`));
    }
    return this.run((client) => client.query(...args));
  }

  /** As `pool.connect`: a client, tested if it has been idle for long, to be released by whoever asked. */
  async connect(options) {
    return (await this[take](parseCall(options, ['signal', 'timeout']))).connection;
  }
}

function checkPool(pool) {
  const isPool = typeof pool?.connect === 'function' && typeof pool.totalCount === 'number' && typeof pool.on === 'function';
  if (!isPool) throw invalidType('pool', "a Pool of the package 'pg'", pool);
}

/** @returns {import('./pool').PoolSource} */
function sourceOf(pool, { timeout }) {
  let taken = 0;
  return {
    surface: 'wrapPgPool',
    pool,
    faultOf: classify,
    attach(connections) {
      keepAlive(pool);
      // Otherwise who waits for a place, or for a server that does not answer, waits for ever, and keeps the place.
      pool.options.connectionTimeoutMillis ||= timeout.connect === Infinity ? 0 : timeout.connect;
      pool.on('error', (error, client) => connections.died(client, error));
      pool.on('acquire', () => {
        taken += 1;
      });
      pool.on('release', (_, client) => connections.wasUsed(client));
      // The pool listens to idle clients only.
      for (const client of pool._clients) client.on('error', ignore);
      pool.on('connect', (client) => client.on('error', ignore));
    },
    checkout: () => pool.connect(),
    checkin: (client) => client.release(),
    destroy(client) {
      client.release(true);
      // The farewell that the pool sends waits for one from a peer that may be gone, and those who wait for a place with it.
      client.connection?.stream?.destroy();
    },
    evict(isSuspect) {
      for (const { client } of pool._idle.filter((item) => isSuspect(item.client))) {
        pool._remove(client);
        client.connection?.stream?.destroy();
      }
    },
    handed: (client) => client,
    ping: (client) => client.query('SELECT 1'),
    isDead: (client) => client._queryable === false || client._ending === true,
    // A native client does not show its socket: whatever fails may have come after something that was sent.
    traffic: ({ connection }) => (connection?.stream ? `${taken}:${connection.stream.bytesWritten}` : Symbol('unseen')),
    tidy(client, hasFailed) {
      if (hasFailed) return client.query('ROLLBACK');
      const status = client.getTransactionStatus?.() ?? 'I';
      if (status !== 'I') throw openTransactionError();
      return undefined;
    },
    async close() {
      if (!pool.ending) await pool.end();
    },
    destroyAll() {
      for (const client of pool._clients) client.connection?.stream?.destroy();
    },
  };
}

function keepAlive(pool) {
  const { options } = pool;
  if (options.keepAlive !== undefined) return;
  options.keepAlive = true;
  options.keepAliveInitialDelayMillis ??= KEEP_ALIVE;
  for (const client of pool._clients) client.connection?.stream?.setKeepAlive?.(true, options.keepAliveInitialDelayMillis);
}

/** Whoever uses the client is told by what fails. */
function ignore() {}

module.exports = { wrapPgPool };

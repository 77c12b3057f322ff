'use strict';

/**
 * pg's pool. Traps that are closed here (pg 8): an 'error' of an idle or checked-out client that nobody listens to ends the
 * process; keepalive is off; a connection that vanished in silence is found by the next statement; a dead client that is
 * ended politely keeps those who wait for its place waiting; a wait for a place has no end.
 */

const { parseOptions, parseCall } = require('./options');
const { openTransactionError } = require('./faults');
const { Persistent, take } = require('./persistent');
const { DEAD, EXHAUSTED, FIN, SLOW, SLOW_CONNECT, answer, knowing } = require('./shapes');
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
  return {
    surface: 'wrapPgPool',
    pool,
    faultOf,
    attach(connections) {
      keepAlive(pool);
      // Otherwise who waits for a place, or for a server that does not answer, waits for ever, and keeps the place.
      pool.options.connectionTimeoutMillis ||= timeout.connect === Infinity ? 0 : timeout.connect;
      pool.on('error', (error, client) => connections.died(client, error));
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
    traffic: (client) => client.connection?.stream?.bytesWritten,
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

const MESSAGES = Object.freeze({
  'Connection terminated unexpectedly': FIN,
  'Connection terminated': FIN,
  'Client has encountered a connection error and is not queryable': DEAD,
  'Client was closed and is not queryable': DEAD,
  'Query read timeout': SLOW,
  'timeout expired': SLOW_CONNECT,
  'Connection terminated due to connection timeout': SLOW_CONNECT,
  'timeout exceeded when trying to connect': EXHAUSTED,
});

/** By SQLSTATE (PostgreSQL, appendix A). */
const STATES = Object.freeze({
  // The server ends the session. Whether a statement that was sent had been done by then, nobody knows.
  '57P01': {
    transient: true, reconnect: true, delivery: 'unknown',
    reason: 'An administrator ended the connection, or the server shuts down.',
  },
  '57P02': {
    transient: true, reconnect: true, delivery: 'unknown',
    reason: 'The server ends all connections because one of its processes crashed.',
  },
  '57P03': {
    phase: 'connect', transient: true, reconnect: true, delivery: 'not-sent',
    reason: 'The server is starting, stopping or recovering.',
  },
  '57P05': {
    transient: true, reconnect: true, delivery: 'unknown',
    reason: 'The server ended a session that was idle.',
  },
  53300: {
    phase: 'connect', kind: 'throttled', transient: true, reconnect: false, delivery: 'not-sent',
    reason: 'The server has as many connections as it allows.',
  },
  25006: {
    transient: true, reconnect: true, delivery: 'answered',
    reason: 'The server refuses to write: it is a standby, or has become one.',
  },
  40001: {
    transient: true, reconnect: false, delivery: 'answered',
    reason: 'The transaction was rolled back because of another one. Repeat it as a whole.',
  },
  '40P01': {
    transient: true, reconnect: false, delivery: 'answered',
    reason: 'The transaction was rolled back to end a deadlock. Repeat it as a whole.',
  },
});

/** What the server refuses it would refuse again. */
const REFUSED = Object.freeze({
  kind: 'client', delivery: 'answered', transient: false, reconnect: false,
  reason: 'The server refused it; detail has its words.',
});

const faultOf = knowing((error) => {
  if (error.code === undefined) return Object.hasOwn(MESSAGES, error.message) ? MESSAGES[error.message] : undefined;
  if (typeof error.severity !== 'string' || typeof error.code !== 'string') return undefined;
  return answer(error.code, STATES[error.code] ?? REFUSED);
});

module.exports = { wrapPgPool };

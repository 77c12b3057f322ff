'use strict';

/**
 * mysql2's pool, that of `mysql2` and that of `mysql2/promise`. Traps that are closed here (mysql2 3): an idle connection is
 * never tested, so the first query after a quiet night fails; a query that runs into its `timeout` keeps its place in the
 * pool for ever; a dead connection may emit an 'error' that nobody listens to; a wait for a place has no end; a connection
 * goes back into the pool in the middle of a transaction.
 */

const { classify } = require('../fault');
const { invalidArgument, invalidType } = require('../validate');
const { parseCall, parseOptions } = require('./options');
const { Persistent, take } = require('./persistent');

/**
 * @param {import('../..').MysqlPoolLike} pool
 * @param {import('../..').PersistentOptions} [options]
 * @returns {PersistentMysqlPool}
 */
function wrapMysqlPool(pool, options) {
  return new PersistentMysqlPool(pool, parseOptions(options));
}

class PersistentMysqlPool extends Persistent {
  constructor(pool, options) {
    super(sourceOf(pool, coreOf(pool)), options);
    /** The pool that was given. */
    this.pool = pool;
  }

  /** As `query` of the pool of `mysql2/promise`, whichever pool this is. It is not repeated unless nothing of it was sent. */
  query(...args) {
    return this.#command('query', args);
  }

  /** The same for a prepared statement. */
  execute(...args) {
    return this.#command('execute', args);
  }

  /** A connection of the kind that the pool has, tested if it has been idle for long, to be released by whoever asked. */
  async getConnection(options) {
    return (await this[take](parseCall(options, ['signal', 'timeout']))).connection;
  }

  #command(method, args) {
    if (args.some((arg) => typeof arg === 'function')) {
      return Promise.reject(invalidArgument(`${method} must be given no callback: it returns a promise.`));
    }
    return this.run((connection) => promising(connection)[method](...args));
  }
}

/** The pool that does the work: that of `mysql2/promise` is a coat around one. */
function coreOf(pool) {
  const core = typeof pool?.pool?.getConnection === 'function' ? pool.pool : pool;
  if (typeof core?.getConnection === 'function' && core.config?.connectionConfig !== undefined) return core;
  throw invalidType('pool', "a pool of the package 'mysql2' or 'mysql2/promise'", pool);
}

/** One of `mysql2/promise` has no `promise()`. */
function promising(connection) {
  return typeof connection.promise === 'function' ? connection.promise() : connection;
}

/** @returns {import('./pool').PoolSource} */
function sourceOf(pool, core) {
  let taken = 0;
  return {
    surface: 'wrapMysqlPool',
    pool,
    faultOf: classify,
    attach(connections) {
      core.on('acquire', () => {
        taken += 1;
      });
      core.on('release', (connection) => connections.wasUsed(connection));
      const listen = (connection) => connection.on('error', (error) => {
        // In use, it fails what its user waits for.
        if (connection._released) connections.died(connection, error);
      });
      for (const connection of core._allConnections.toArray()) listen(connection);
      core.on('connection', listen);
    },
    checkout: () => called((done) => core.getConnection(done)),
    checkin: (connection) => connection.release(),
    destroy: (connection) => connection.destroy(),
    evict(isSuspect) {
      for (const connection of core._freeConnections.toArray()) if (isSuspect(connection)) connection.destroy();
    },
    handed: (connection) => (pool === core ? connection : connection.promise(pool.Promise)),
    ping: (connection) => called((done) => connection.ping(done)),
    isDead: (connection) => connection._pool === null || connection.stream.destroyed,
    traffic: (connection) => `${taken}:${connection.stream.bytesWritten}`,
    // Whether a transaction is open the driver does not know.
    tidy: (connection, hasFailed) => (hasFailed ? called((done) => connection.query('ROLLBACK', done)) : undefined),
    async close() {
      if (!core._closed) await called((done) => core.end(done));
    },
    destroyAll() {
      for (const connection of core._allConnections.toArray()) connection.stream.destroy();
    },
  };
}

function called(fn) {
  return new Promise((resolve, reject) => {
    fn((error, value) => (error ? reject(error) : resolve(value)));
  });
}

module.exports = { wrapMysqlPool };

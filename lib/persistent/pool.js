'use strict';

/**
 * The use of a pool of connections: each call has one for itself.
 *
 * One that has been idle for long, or that was idle when another one died, is tested before it is handed out. One that fails
 * the test is thrown away, those that were idle as well go with it, and another one is taken. One that may still be at work,
 * or may be in the middle of a transaction, does not go back into the pool.
 */

const { unlessAborted } = require('../abort');
const { connectFault, deathOf, fullError, poolBusyError, unproven } = require('./faults');
const { pingWithin } = require('./shared');
const { LONGEST_TIMER } = require('../validate');

/**
 * @typedef {object} PoolSource a driver's pool, in the terms that are needed here
 * @property {() => Promise<object>} checkout
 * @property {(client: object) => void} checkin it is in order, and goes back
 * @property {(client: object) => void} destroy it is not, or nobody knows: it is closed at once
 * @property {(isSuspect: (client: object) => boolean) => void} evict destroys those that idle in the pool and are suspect
 * @property {(client: object) => unknown} handed what the caller gets of it
 * @property {(client: object) => PromiseLike<unknown>} ping
 * @property {(client: object) => boolean} isDead as the driver knows without asking
 * @property {(client: object) => unknown} traffic a value that changes with whatever is sent over it, and with whatever else
 *   is taken out of the pool
 * @property {(client: object, hasFailed: boolean) => unknown} tidy ends a transaction that was left open; throws where that is
 *   a mistake of the caller's
 */

class Pool {
  #upkeep;
  #source;
  #options;
  #idleness;
  /** When each connection was last used. @type {WeakMap<object, number>} */
  #usedAt = new WeakMap();
  /** What was idle when this happened is suspect. */
  #diedAt = -Infinity;
  /** Calls that wait for the pool. */
  #queued = 0;

  constructor(upkeep, source, options, idleness) {
    this.#upkeep = upkeep;
    this.#source = source;
    this.#options = options;
    this.#idleness = idleness;
    this.counts = { sent: 0, failed: 0 };
  }

  get waiting() {
    return this.#queued;
  }

  /** It is back in the pool, whoever used it. */
  wasUsed(client) {
    this.#usedAt.set(client, performance.now());
  }

  /** One died that nobody was using. The others have been idle as well. */
  died(client, error) {
    this.#noteDeath(this.#idleOf(client));
    this.#upkeep.suspect(this.#upkeep.current, this.#source.faultOf(error, { phase: 'idle' }));
  }

  /**
   * Whether there is a server: takes a connection, tests it, and gives it back. That is what it is for a pool to connect.
   *
   * @param {AbortSignal} signal
   */
  async probe(signal) {
    // Who calls has a limit, whose timer keeps no process alive.
    const client = await this.#checkout(undefined, signal);
    try {
      await this.#ping(client, false);
    } catch (error) {
      this.#source.destroy(client);
      throw error;
    }
    this.#giveBack(client);
  }

  /**
   * @param {import('./patience').Patience} patience
   * @param {AbortSignal} signal
   * @returns {Promise<PoolLease>}
   */
  async take(patience, signal) {
    for (;;) {
      const session = await patience.spend(() => this.#upkeep.session({ patience, signal }));
      const client = await patience.spend(() => this.#fromPool(session, patience, signal));
      const idle = this.#idleOf(client);
      const isFit = await patience.spend(() => this.#isFit(client, idle, session, signal));
      if (isFit) return new PoolLease(this, client, idle, session, this.#source);
    }
  }

  async #fromPool(session, patience, signal) {
    // The one that is served at once does not wait, and cannot be told from those that do.
    if (this.#queued > this.#options.maxWaiting) throw fullError();
    this.#queued += 1;
    try {
      return await this.#checkout(patience, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      const fault = connectFault(this.#source.faultOf, error);
      // Where none came free, or the server has enough of us, there is no reason to think that it is gone.
      if (fault.reconnect || !fault.transient) this.#upkeep.lose(session, error, fault);
      else this.#upkeep.suspect(session, fault);
      throw error;
    } finally {
      this.#queued -= 1;
    }
  }

  /**
   * One that comes too late goes back.
   *
   * @param {import('./patience').Patience | undefined} patience
   */
  async #checkout(patience, signal) {
    const coming = this.#source.checkout();
    let timer;
    const tooLate = new Promise((resolve, reject) => {
      if (patience === undefined) return;
      timer = setTimeout(() => reject(poolBusyError(patience.whole)), Math.min(patience.left, LONGEST_TIMER));
    });
    try {
      return await unlessAborted(Promise.race([coming, tooLate]), signal);
    } catch (error) {
      coming.then((client) => this.#source.checkin(client), () => {});
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async #isFit(client, idle, session, signal) {
    if (this.#source.isDead(client)) {
      this.#source.destroy(client);
      this.#noteDeath(idle);
      return false;
    }
    if (!this.#options.pings || !(this.#isSuspect(client) || this.#idleness.isDue(idle))) return true;
    try {
      await unlessAborted(this.#ping(client), signal);
    } catch (error) {
      this.#source.destroy(client);
      if (signal.aborted) throw error;
      this.#noteDeath(idle);
      // To wait as long for each of the others would take minutes.
      this.#source.evict((other) => this.#isSuspect(other));
      this.#upkeep.suspect(session, this.#source.faultOf(error, { phase: 'idle' }));
      return false;
    }
    this.#idleness.survived(idle);
    this.#upkeep.served(session);
    return true;
  }

  async #ping(client, isWaitedFor) {
    this.counts.sent += 1;
    try {
      await pingWithin(this.#options.timeout.ping, () => this.#source.ping(client), isWaitedFor);
    } catch (error) {
      this.counts.failed += 1;
      throw error;
    }
  }

  #isSuspect(client) {
    return (this.#usedAt.get(client) ?? Infinity) <= this.#diedAt;
  }

  /** Ms; 0 for one that is new. */
  #idleOf(client) {
    const usedAt = this.#usedAt.get(client);
    return usedAt === undefined ? 0 : performance.now() - usedAt;
  }

  #noteDeath(idle) {
    this.#diedAt = performance.now();
    this.#idleness.died(idle);
  }

  #giveBack(client) {
    this.wasUsed(client);
    this.#source.checkin(client);
  }

  // --- Of leases --------------------------------------------------------------------------------

  /** @throws where the call must not count as one that succeeded */
  async returned(client, session, hasFailed) {
    try {
      const tidying = this.#source.tidy(client, hasFailed);
      if (tidying !== undefined) await pingWithin(this.#options.timeout.ping, () => tidying);
    } catch (error) {
      this.#source.destroy(client);
      if (!hasFailed) throw error;
      return;
    }
    this.#giveBack(client);
    if (!hasFailed) this.#upkeep.served(session);
  }

  broke(client, idle, session, fault) {
    this.#source.destroy(client);
    this.#noteDeath(idle);
    this.#upkeep.suspect(session, fault);
  }

  abandoned(client) {
    this.#source.destroy(client);
  }
}

/** A connection of the pool in the hands of one call. */
class PoolLease {
  #pool;
  #client;
  #session;
  #source;
  #trafficBefore;

  constructor(pool, client, idle, session, source) {
    this.#pool = pool;
    this.#client = client;
    this.#session = session;
    this.#source = source;
    this.#trafficBefore = source.traffic(client);
    this.connection = source.handed(client);
    /** How long it had been idle when it was taken, ms. */
    this.idle = idle;
  }

  /** Anything since it was taken, also over another connection of the pool: then no fault can prove that nothing was. */
  get #hasSent() {
    return this.#source.traffic(this.#client) !== this.#trafficBefore;
  }

  /** The driver tells whoever uses a connection of a pool of its end. */
  onceLost() {
    return () => {};
  }

  succeeded() {
    return this.#pool.returned(this.#client, this.#session, false);
  }

  /**
   * What nobody knows, of a connection that is dead, is its death. That nothing was sent is true only of a connection that was
   * found dead: while it lives, the error is somebody else's, of whom it proves nothing here.
   */
  judged(error, fault) {
    const isDead = this.#source.isDead(this.#client);
    const told = isDead && !this.#hasSent ? fault : unproven(fault);
    return told.kind === 'unknown' && isDead ? deathOf(told) : told;
  }

  async failed(error, fault) {
    if (fault.reconnect) this.#pool.broke(this.#client, this.idle, this.#session, fault);
    else await this.#pool.returned(this.#client, this.#session, true);
  }

  /** Its call may go on, and a statement with it: it must not meet the next one's. */
  async abandoned() {
    this.#pool.abandoned(this.#client);
  }
}

module.exports = { Pool };

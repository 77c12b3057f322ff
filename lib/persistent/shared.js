'use strict';

/**
 * The use of one connection by all calls together: a client that multiplexes, as those of Redis, AMQP or MongoDB do, or a
 * single session. Before it is handed out after a silence, or after something failed on it, it is tested; calls that come
 * meanwhile wait for the same test.
 */

const { unlessAborted } = require('../abort');
const { deathOf, tooSlowError, unproven } = require('./faults');
const { LONGEST_TIMER } = require('../validate');

class SharedConnection {
  #upkeep;
  #source;
  #options;
  #idleness;
  /** @type {WeakMap<import('./session').Session, Promise<boolean>>} */
  #pings = new WeakMap();

  constructor(upkeep, source, options, idleness) {
    this.#upkeep = upkeep;
    this.#source = source;
    this.#options = options;
    this.#idleness = idleness;
    this.counts = { sent: 0, failed: 0 };
  }

  /** Beside those who wait for there to be one. */
  get waiting() {
    return 0;
  }

  /**
   * @param {import('./patience').Patience} patience
   * @param {AbortSignal} [signal]
   * @returns {Promise<Lease>}
   */
  async take(patience, signal) {
    for (;;) {
      const session = await patience.spend(() => this.#upkeep.session({ patience, signal }));
      const idle = session.idle;
      if (this.#isBroken(session)) continue;
      if (session.isSuspect || this.#idleness.isDue(idle)) {
        const answers = await patience.spend(() => unlessAborted(this.#answers(session, idle), signal));
        if (!answers) continue;
      }
      if (this.#upkeep.isCurrent(session)) return new Lease(session, idle, this.#upkeep, this.#source, this.#idleness);
    }
  }

  /** As its driver shows it, without asking the server. */
  #isBroken(session) {
    if (!isBroken(this.#source, session.connection)) return false;
    this.#upkeep.lose(session, new Error('The connection says that it is broken.'));
    return true;
  }

  /** Whether a ping is answered. Without a ping nothing is known, and nothing can be done about it. */
  #answers(session, idle) {
    if (this.#source.ping === undefined || !this.#options.pings) return true;
    let answer = this.#pings.get(session);
    if (answer === undefined) {
      answer = this.#ping(session, idle).finally(() => this.#pings.delete(session));
      this.#pings.set(session, answer);
    }
    return answer;
  }

  async #ping(session, idle) {
    this.counts.sent += 1;
    try {
      await pingWithin(this.#options.timeout.ping, (signal) => this.#source.ping(session.connection, { signal }));
    } catch (error) {
      this.counts.failed += 1;
      this.#upkeep.lose(session, error);
      return false;
    }
    this.#idleness.survived(idle);
    session.usedAt = performance.now();
    this.#upkeep.served(session);
    return true;
  }
}

/** The connection in the hands of one call. */
class Lease {
  #session;
  #upkeep;
  #source;
  #idleness;
  #isBroken = false;
  #trafficBefore;

  constructor(session, idle, upkeep, source, idleness) {
    this.#session = session;
    this.#upkeep = upkeep;
    this.#source = source;
    this.#idleness = idleness;
    this.connection = session.connection;
    this.#trafficBefore = source.traffic?.();
    /** How long it had been idle when it was taken, ms. */
    this.idle = idle;
    session.running += 1;
  }

  /** A client that heals itself answers for the calls that it has. */
  onceLost(listener) {
    if (this.#source.heals) return () => {};
    return this.#session.onceLost(listener);
  }

  /** What is done with it is not watched. */
  handOver() {
    this.#over();
    return this.connection;
  }

  async succeeded() {
    this.#over();
    this.#upkeep.served(this.#session);
  }

  /**
   * What nobody knows, of a connection that its source calls broken, is its end. That nothing was sent is believed of drivers
   * only where it can be seen; `persistent` believes the error, for it sees nothing.
   */
  judged(error, fault) {
    this.#isBroken = isBroken(this.#source, this.connection, error);
    const isBelieved = this.#trafficBefore === undefined || (this.#isBroken && !this.#hasSent);
    const told = isBelieved ? fault : unproven(fault);
    return this.#isBroken && told.kind === 'unknown' ? deathOf(told) : told;
  }

  /** @param {import('../..').Fault} fault as {@link Lease#judged} */
  async failed(error, fault) {
    this.#over();
    if (this.#breaks(fault)) {
      if (this.#session.loss === undefined) this.#idleness.died(this.idle);
      this.#upkeep.lose(this.#session, error, fault);
    } else if (fault.transient) {
      this.#upkeep.suspect(this.#session, fault);
    } else if (fault.delivery === 'answered') {
      this.#upkeep.served(this.#session);
    }
  }

  /** Nobody waits for its call any longer, which may go on: the connection is tested before it is used again. */
  async abandoned(fault) {
    this.#over();
    // That somebody changed his mind is nothing to be told of.
    if (fault.kind === 'aborted') this.#session.isSuspect = true;
    else this.#upkeep.suspect(this.#session, fault);
  }

  /** Anything of anybody: then no fault can prove that nothing of this call was. */
  get #hasSent() {
    return this.#source.traffic() !== this.#trafficBefore;
  }

  /** Whether the failure is the end of the connection. What need not be is decided by a ping, where there is one. */
  #breaks(fault) {
    if (this.#source.isBroken !== undefined) return this.#isBroken;
    return fault.reconnect && (fault.kind === 'reset' || fault.kind === 'closed' || this.#source.ping === undefined);
  }

  #over() {
    this.#session.running -= 1;
    this.#session.usedAt = performance.now();
  }
}

/** A hook that throws does not fail a call, nor is it lost: it is an uncaught exception, as that of a listener is. */
function isBroken(source, connection, error) {
  try {
    return Boolean(source.isBroken?.(connection, error));
  } catch (thrown) {
    process.nextTick(() => {
      throw thrown;
    });
    return true;
  }
}

/**
 * @template T
 * @param {number} limit ms
 * @param {(signal: AbortSignal) => T | PromiseLike<T>} ping
 * @param {boolean} [isWaitedFor] by a call: that keeps the process alive
 */
async function pingWithin(limit, ping, isWaitedFor = true) {
  const controller = new AbortController();
  const tooSlow = tooSlowError(limit, 'The ping', 'idle');
  const timer = setTimeout(() => controller.abort(tooSlow), Math.min(limit, LONGEST_TIMER));
  if (!isWaitedFor) timer.unref();
  try {
    return await unlessAborted(Promise.resolve(ping(controller.signal)), controller.signal);
  } finally {
    clearTimeout(timer);
  }
}

module.exports = { SharedConnection, pingWithin };

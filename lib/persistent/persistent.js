'use strict';

/**
 * A connection that is there when it is needed: made with backoff, tested after a silence, brought back when it is lost, and
 * used so that nothing runs twice behind the program's back. `docs/databases.md` is the guide.
 *
 * This is the one engine. What is true of one driver only stands in the file of that driver.
 */

const { reasonOf, unwatch, watch } = require('../abort');
const { asyncDispose } = require('../async-dispose');
const { classify } = require('../fault');
const { checkFunction, LONGEST_TIMER } = require('../validate');
const { heeding } = require('./emitters');
const { Ending } = require('./ending');
const { Events } = require('./events');
const { closedError } = require('./faults');
const { Idleness } = require('./idleness');
const { parseCall, parseOptions, parseSource } = require('./options');
const { Patience } = require('./patience');
const { Pool } = require('./pool');
const { Run } = require('./run');
const { SharedConnection } = require('./shared');
const { Upkeep } = require('./upkeep');

/**
 * @param {import('../..').PersistentSource<unknown>} source
 * @param {import('../..').PersistentOptions} [options]
 * @returns {Persistent}
 */
function persistent(source, options) {
  return new Persistent(ownSource(parseSource(source)), parseOptions(options));
}

/** For the wrappers of pools. */
const take = Symbol('take');

class Persistent {
  #source;
  #options;
  #events;
  #upkeep;
  #connections;
  #idleness;
  /** @type {Set<Run>} */
  #runs = new Set();
  #whenIdle = () => {};
  /** @type {Promise<void> | undefined} */
  #closing;
  #closed = new AbortController();

  /**
   * @param {object} source that of `persistent`, or an adapter's
   * @param {import('./options').Options} options
   */
  constructor(source, options) {
    this.#source = source;
    this.#options = options;
    this.#events = new Events({ surface: source.surface, name: options.name });
    this.#idleness = new Idleness(options.pingAfter);
    const isPool = source.checkout !== undefined;
    const upkept = isPool ? pooled(source, (signal) => this.#connections.probe(signal)) : source;
    this.#upkeep = new Upkeep(upkept, options, this.#events, isPool ? undefined : this.#idleness);
    this.#connections = new (isPool ? Pool : SharedConnection)(this.#upkeep, source, options, this.#idleness);
    source.attach?.(this.#connections);
  }

  /** `'idle'`: nobody has asked for it yet; `'connecting'`: for the first time. */
  get state() {
    return this.#upkeep.state;
  }

  /** The connection, tested if it has been idle for long; of a pool, the pool, when it was shown to reach its server. */
  async get(options) {
    const { signal, timeout } = parseCall(options, ['signal', 'timeout']);
    const patience = new Patience(timeout ?? this.#options.timeout.wait);
    if (this.#source.checkout !== undefined) {
      return (await this.#upkeep.session({ patience, signal })).connection;
    }
    return (await this.#connections.take(patience, signal)).handOver();
  }

  /** Calls the function with a connection; calls it again only where that can do no harm. */
  run(fn, options) {
    try {
      return this.#run(checkFunction(fn, 'fn'), parseCall(options, ['idempotent', 'signal', 'timeout']));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** A connection of its own for whoever calls a driver's checkout, and gives it back in the driver's way. */
  async [take]({ signal, timeout }) {
    const ending = new Ending();
    const signals = [this.#closed.signal, signal].filter((each) => each !== undefined);
    for (const each of signals) {
      if (each.aborted) ending.abort(reasonOf(each));
      else watch(each, ending);
    }
    try {
      return await this.#connections.take(new Patience(timeout ?? this.#options.timeout.wait), ending);
    } finally {
      for (const each of signals) unwatch(each, ending);
    }
  }

  on(event, listener) {
    this.#events.change('on', event, listener);
    return this;
  }

  once(event, listener) {
    this.#events.change('once', event, listener);
    return this;
  }

  off(event, listener) {
    this.#events.change('off', event, listener);
    return this;
  }

  stats() {
    const { sent, failed } = this.#connections.counts;
    return {
      state: this.#upkeep.state,
      uptime: this.#upkeep.uptime,
      ...this.#upkeep.counts,
      waiting: this.#upkeep.waiting + this.#connections.waiting,
      running: this.#runs.size,
      pings: { sent, failed, after: this.#idleness.after },
      lastFault: this.#upkeep.lastFault,
    };
  }

  /** Final, and the same promise however often it is called. */
  close() {
    return (this.#closing ??= this.#close());
  }

  [asyncDispose]() {
    return this.close();
  }

  async #run(fn, options) {
    if (this.#closing !== undefined) throw closedError();
    const around = { connections: this.#connections, source: this.#source, options: this.#options };
    const run = new Run(around, fn, options);
    this.#runs.add(run);
    try {
      return await run.result();
    } finally {
      this.#runs.delete(run);
      if (this.#runs.size === 0) this.#whenIdle();
    }
  }

  async #close() {
    this.#upkeep.close();
    this.#closed.abort(closedError());
    for (const run of this.#runs) run.closing();
    if (!(await this.#runsEnd(this.#options.timeout.close))) {
      for (const run of this.#runs) run.cut();
    }
    // A farewell that fails, or is not answered, is none. Nobody would be helped by knowing.
    const hasEnded = await within(this.#upkeep.end().then(() => true, () => false), this.#options.timeout.close);
    if (!hasEnded) this.#source.destroyAll?.();
  }

  /** @returns {Promise<boolean>} false: not in time */
  #runsEnd(limit) {
    if (this.#runs.size === 0) return Promise.resolve(true);
    return within(new Promise((resolve) => {
      this.#whenIdle = () => resolve(true);
    }), limit);
  }
}

/** In the terms that the engine has for its own adapters. */
function ownSource({ connect, close, ping, isBroken }) {
  return {
    surface: 'persistent',
    faultOf: classify,
    connect: heeding(connect),
    discard: close,
    ping,
    isBroken,
  };
}

/** A pool "connects" by showing that a connection of it answers; where that is lost, there is nothing to be undone. */
function pooled(source, probe) {
  return {
    async connect({ signal }) {
      await probe(signal);
      return source.pool;
    },
    discard() {},
    close: () => source.close(),
    faultOf: source.faultOf,
  };
}

/**
 * @param {Promise<T>} work
 * @param {number} limit ms
 * @returns {Promise<T | false>} false: not in time
 * @template T
 */
function within(work, limit) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, Math.min(limit, LONGEST_TIMER), false);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

module.exports = { Persistent, persistent, take };

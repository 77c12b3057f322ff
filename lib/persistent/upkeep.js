'use strict';

/**
 * Keeps one connection: makes it when it is first asked for, notices its loss, brings it back, and says what state it is in.
 *
 * There is one attempt at a time, whoever waits. A loss starts the next one at once, in the background; when `reconnect`
 * allows no further attempt it rests until somebody asks again. Its own timers never keep the process alive: those who wait
 * do (`waiting.js`).
 */

const { unlessAborted } = require('../abort');
const { Comeback } = require('./comeback');
const { closedError, connectFault, noConnectionError, notConnectedError, tooSlowError } = require('./faults');
const { Session } = require('./session');
const { Waiting } = require('./waiting');
const { LONGEST_TIMER } = require('../validate');

/**
 * @typedef {'idle' | 'connecting' | 'up' | 'degraded' | 'down' | 'closed'} State
 *
 * @typedef {object} Source how connections are made
 * @property {(context: { attempt: number, signal: AbortSignal, lost(error?: unknown): void }) => unknown} connect
 * @property {(connection: unknown) => unknown} discard ends one that is lost, came too late, or is the last
 * @property {() => unknown} [close] ends what makes the connections; then there is none to be ended
 * @property {(error: unknown, context?: object) => import('../..').Fault} faultOf
 */

class Upkeep {
  #source;
  #options;
  #events;
  #idleness;
  #waiting;
  /** @type {State} */
  #state = 'idle';
  /** The connection there is. @type {Session | undefined} */
  #session;
  /** How it comes back, until a connection has proved itself. @type {Comeback | undefined} */
  #comeback;
  /** The way back that is under way. */
  #coming;
  /** Since when there is no connection that anybody could use. */
  #downSince;
  /** Ends the attempt, or the wait, that is under way. */
  #ending = new AbortController();
  #last;

  /**
   * @param {Source} source
   * @param {import('./options').Options} options
   * @param {import('./events').Events} events
   * @param {import('./idleness').Idleness} [idleness] learns from a connection that ends while nobody uses it; not of pools
   */
  constructor(source, options, events, idleness) {
    this.#source = source;
    this.#options = options;
    this.#events = events;
    this.#idleness = idleness;
    this.#waiting = new Waiting(options.maxWaiting);
    this.counts = { connects: 0, losses: 0 };
  }

  get state() {
    return this.#state;
  }

  /** Ms. */
  get uptime() {
    return this.#session?.uptime;
  }

  get waiting() {
    return this.#waiting.size;
  }

  /** The latest fault that the connection, or an attempt to make one, ended with. */
  get lastFault() {
    return this.#last?.fault;
  }

  /**
   * The connection there is, or the one that comes.
   *
   * @param {{ patience: import('./patience').Patience, signal?: AbortSignal }} limits
   * @returns {Promise<Session>} rejects with a fault that nothing was sent with, or the signal's reason
   */
  async session({ patience, signal }) {
    if (this.#state === 'closed') throw closedError();
    if (this.#session !== undefined) return this.#session;
    const onImpatience = () => noConnectionError(patience.whole, this.#last?.error, this.#last?.fault);
    const waiting = this.#waiting.add({ patience: patience.left, signal }, onImpatience);
    this.#begin();
    return waiting;
  }

  /** The connection there is. */
  get current() {
    return this.#session;
  }

  isCurrent(session) {
    return session === this.#session;
  }

  /**
   * The connection is gone, as an event or a failure has shown. Told of one that is gone already, nothing happens.
   *
   * @param {Session} session
   * @param {unknown} error
   * @param {import('../..').Fault} [fault]
   */
  lose(session, error, fault = this.#source.faultOf(error, { phase: 'idle' })) {
    if (session.loss !== undefined) return;
    session.end({ error, fault });
    // While it was being made, the attempt fails with it; after close nothing comes back.
    if (session !== this.#session || this.#state === 'closed') return;
    this.#session = undefined;
    this.#last = session.loss;
    this.counts.losses += 1;
    this.#idleness?.died(session.idle);
    this.#discard(session);
    if (session.hasProvedItself) this.#comeback = undefined;
    // Begun before anybody is told, who might ask for it.
    this.#state = 'down';
    this.#come(session.loss);
    this.#events.tell('down', { fault, uptime: session.uptime });
  }

  /** Something failed that need not be the connection's end: it is tested before it is used again. */
  suspect(session, fault) {
    if (session === undefined || session !== this.#session) return;
    session.isSuspect = true;
    if (this.#state === 'up') this.#moveTo('degraded', { fault });
  }

  /** Something was answered on it. */
  served(session) {
    session.isSuspect = false;
    if (session !== this.#session) return;
    session.hasServed = true;
    this.#comeback = undefined;
    if (this.#state === 'degraded') this.#moveTo('up', { attempts: 0, downtime: 0 });
  }

  /** Nothing comes after this. Those who wait are told; the connection stays until {@link Upkeep#end}. */
  close() {
    this.#moveTo('closed');
    this.#ending.abort(closedError());
    this.#waiting.refuse(closedError);
  }

  async end() {
    const session = this.#session;
    this.#session = undefined;
    if (this.#source.close !== undefined) await this.#source.close();
    else if (session !== undefined) await this.#source.discard(session.connection);
  }

  #begin() {
    if (this.#coming !== undefined) return;
    this.#downSince ??= performance.now();
    if (this.#state === 'idle') this.#moveTo('connecting');
    this.#comeback = undefined;
    this.#come();
  }

  /**
   * Attempt after attempt, until there is a connection or no reason to go on. Never rejects.
   *
   * @param {{ error: unknown, fault: import('../..').Fault }} [loss] of the connection that there was
   */
  async #come(loss) {
    const comeback = (this.#comeback ??= new Comeback(this.#options.reconnect));
    // A listener that hears of the end of this may have begun another one by then.
    const coming = (this.#coming = {});
    this.#downSince ??= performance.now();
    let failure = loss;
    while (failure === undefined || (await this.#goesOn(comeback, failure, failure === loss))) {
      comeback.attempts += 1;
      failure = await this.#attempt(comeback.attempts);
      if (failure === undefined || this.#state === 'closed') break;
      this.#last = failure;
    }
    if (this.#coming === coming) this.#coming = undefined;
  }

  /** Asks whether there is another attempt, tells, and waits. */
  async #goesOn(comeback, { error, fault }, isLoss) {
    let next;
    try {
      next = await comeback.failed(fault, isLoss);
    } catch (thrown) {
      // A hook threw. Nobody called that could be told, but what was thrown is not lost.
      this.#events.call(() => {
        throw thrown;
      });
      next = { gaveUp: 'not-transient' };
    }
    if (this.#state === 'closed') return false;
    if (next.gaveUp !== undefined) {
      this.#comeback = undefined;
      this.#coming = undefined;
      this.#moveTo('down', { fault, gaveUp: next.gaveUp });
      this.#waiting.refuse(() => notConnectedError(error, fault));
      return false;
    }
    const event = { attempt: comeback.attempts + 1, delay: next.delay, fault };
    const { onRetry } = this.#options.reconnect;
    if (onRetry !== undefined) this.#events.call(() => onRetry({ ...event }));
    this.#events.tell('reconnecting', event);
    await sleep(next.delay, this.#ending.signal);
    return this.#state !== 'closed';
  }

  /** @returns {Promise<{ error: unknown, fault: import('../..').Fault } | undefined>} why there is no connection */
  async #attempt(attempt) {
    const session = new Session();
    const cancelling = new AbortController();
    const connecting = this.#connect(session, attempt, cancelling.signal);
    try {
      session.connection = await unlessAborted(within(connecting, this.#options.timeout.connect), this.#ending.signal);
      if (session.loss !== undefined || this.#state === 'closed') {
        this.#discard(session);
        return session.loss;
      }
      this.#came(session, attempt);
      return undefined;
    } catch (error) {
      session.loss ??= { error, fault: connectFault(this.#source.faultOf, error) };
      cancelling.abort(error);
      // One that comes after all is wanted by nobody.
      connecting.then((connection) => this.#discard({ connection }), () => {});
      return session.loss;
    }
  }

  async #connect(session, attempt, signal) {
    const lost = (error = new Error('The connection was reported lost.')) => this.lose(session, error);
    return this.#events.inContext(() => this.#source.connect({ attempt, signal, lost }));
  }

  #came(session, attempts) {
    session.since = performance.now();
    session.usedAt = session.since;
    this.#session = session;
    this.#coming = undefined;
    this.counts.connects += 1;
    const downtime = session.since - this.#downSince;
    this.#downSince = undefined;
    this.#moveTo('up', { attempts, downtime });
    // A listener may have closed it.
    if (this.#session === session) this.#waiting.admit(session);
  }

  /** Whatever ending it comes to, nobody waits for it. */
  async #discard({ connection }) {
    try {
      await this.#source.discard(connection);
    } catch {
      // It was of no use already.
    }
  }

  /** @param {State} state */
  #moveTo(state, message) {
    this.#state = state;
    if (message !== undefined) this.#events.tell(state, message);
  }
}

/**
 * @template T
 * @param {Promise<T>} connecting
 * @param {number} limit ms
 * @returns {Promise<T>}
 */
function within(connecting, limit) {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(tooSlowError(limit, 'The attempt to connect', 'connect'));
    const timer = setTimeout(giveUp, Math.min(limit, LONGEST_TIMER)).unref();
    connecting.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Ms; ends early when the signal is aborted. */
function sleep(delay, signal) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, delay).unref();
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });
}

module.exports = { Upkeep };

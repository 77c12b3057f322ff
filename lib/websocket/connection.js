'use strict';

/**
 * The native half of a `WebSocket`: what it does goes down from here, what happens comes up, in the async context of whoever
 * made it. It has a place among what the engine knows until it is closed.
 *
 * Messages are told in the order in which they came. While the program has paused, they wait here, and what happened after them
 * waits with them; native code reads nothing meanwhile. Only what native code has to have an answer to is asked at once.
 */

const { AsyncResource } = require('node:async_hooks');
const engine = require('../engine/engine');
const { classify } = require('../fault');
const { FaultError } = require('../errors');
const native = require('../native');
const { closedError } = require('./errors');
const { CloseEvent } = require('./events');
const { Observer } = require('./observer');
const { Outgoing } = require('./outgoing');
const { Session } = require('./session');

/** Native code is told of messages that were taken when they weigh so much: a crossing for each would cost more. */
const TELL_TAKEN = 64 * 1024;

/** Answers to `shouldReconnect`, as `src/node/websocket.rs` reads them. */
const NO_OPINION = -1;

class Connection {
  #socket;
  #hooks;
  #request;
  #options;
  #observer;
  #context = new AsyncResource('UNRESET_WEBSOCKET', { requireManualDestroy: false });
  /** Keeps the caller's `lookup` within reach of native code. */
  #lookups;
  #isOpen = true;
  /** The program has ended it, and what it had sent is given up. */
  #isTerminated = false;
  #isPaused = false;
  /** What waits for the program to go on: `[hook, ...arguments]`. Made of a message or what came after one. */
  #held = [];
  /** Of messages that were told, and that native code does not know to be taken. */
  #untaken = 0;
  /** @type {Session | undefined} */
  #session;
  /** Messages that the session left, which are told when the program knows that there is a connection. */
  #left;
  /** Of the last loss or failed attempt. */
  #lastFault;
  /** Who waits for the buffers to drain: `[atMost, resolve, reject]`. */
  #drains = [];

  /**
   * @param {import('./websocket').WebSocket} socket
   * @param {import('./request').HandshakeRequest} request
   * @param {ReturnType<typeof import('./options').parseOptions>} options
   * @param {Record<string, symbol>} hooks the methods of the socket that are told
   */
  constructor(socket, request, options, hooks) {
    this.#socket = socket;
    this.#hooks = hooks;
    this.#request = request;
    this.#options = options;
    this.#observer = new Observer(options.policy.hub, request.url);
    /** Given by the engine. */
    this.id = 0;
    this.waiting = false;
    if (options.lookup !== undefined) this.#lookups = new (require('../fetch/lookup').Lookups)(options.lookup);
    const parts = [`"reconnect":${options.reconnect}`];
    if (request.json !== undefined) parts.push(`"request":${request.json}`);
    const json = `{${parts.join()},${JSON.stringify(options.native).slice(1)}`;
    const order = require('node:dns').getDefaultResultOrder?.() ?? 'verbatim';
    engine.open(this);
    try {
      this.native = new native.NativeWebSocket(engine.nativeEngine(), this.id, json, order, this.#lookups?.number);
    } catch (error) {
      engine.forget(this);
      throw error;
    }
    this.outgoing = new Outgoing(this.native, (lost) => this.#tell('unsent', lost));
    this.ref();
  }

  ref() {
    if (this.#isOpen) engine.startWaiting(this);
  }

  unref() {
    engine.stopWaiting(this);
  }

  pause() {
    if (this.#isPaused || !this.#isOpen) return;
    this.#isPaused = true;
    this.native.setPaused(true);
  }

  resume() {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    // As a stream does it: what waited is told when the caller has done what it is about.
    process.nextTick(() => this.#release());
  }

  /** Resolves when not more than so many bytes wait to be sent. */
  drained(atMost) {
    this.outgoing.flush();
    if (!this.#isOpen || this.#isTerminated) return Promise.reject(closedError());
    if (this.outgoing.bytes <= atMost) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#drains.push({ atMost, resolve, reject });
      this.#awaitRoom();
    });
  }

  close({ code, reason }) {
    this.outgoing.flush();
    if (this.#isOpen) this.native.close(code, reason);
  }

  /** Ends it at once. What the program did not want to hear yet it will not hear any more. */
  terminate() {
    this.outgoing.flush();
    this.#isTerminated = true;
    this.#held = this.#held.filter(([hook]) => hook === 'over');
    this.resume();
    this.#failDrains();
    if (this.#isOpen) this.native.terminate();
  }

  /** @returns {boolean} whether there was a connection to send it on */
  control(name, data) {
    this.outgoing.flush();
    return this.#isOpen && this.native[name](data);
  }

  // --- Called by the engine --------------------------------------------------------------------

  onMessage(flags, weight, value) {
    if (this.#session !== undefined) this.#session.onMessage(flags, weight, value);
    else if (this.#left !== undefined) this.#left.push([flags, weight, value]);
    else if (this.#isPaused || this.#held.length > 0) this.#held.push(['message', weight, flags, value]);
    else this.#tellMessage(weight, flags, value);
  }

  onPing(weight, value) {
    this.#tellInOrder('ping', weight, value);
  }

  onPong(weight, value) {
    this.#tellInOrder('pong', weight, value);
  }

  onWritten(sequence) {
    this.#context.runInAsyncScope(this.outgoing.onWritten, this.outgoing, sequence);
  }

  onOversized(flags, { bytes, largest, fault }, value) {
    this.#tell('oversized', flags, value, { bytes, largest: largest ?? undefined, fault });
  }

  /** What is over has nothing left to send either: that it is over is told first. */
  onRoom() {
    process.nextTick(() => this.#settleDrains());
  }

  #settleDrains() {
    const drains = this.#drains;
    this.#drains = [];
    for (const drain of drains) {
      if (this.outgoing.bytes <= drain.atMost) drain.resolve();
      else this.#drains.push(drain);
    }
    this.#awaitRoom();
  }

  onEvent({ type, ...event }) {
    EVENTS[type](this, event);
  }

  /** A bug of ours, natively. */
  onFailed({ fault }) {
    this.over({ close: { code: 1006, reason: '', wasClean: false }, fault, attempts: 0 });
  }

  /** What a listener has thrown is uncaught, as it would be anywhere else. */
  abort(error) {
    process.nextTick(() => {
      throw error;
    });
  }

  // --- Events ----------------------------------------------------------------------------------

  async provide({ attempt }) {
    const asked = this.#context.runInAsyncScope(() => this.#request.provide({ attempt, fault: this.#lastFault }));
    let given;
    let fault;
    try {
      const request = await asked;
      this.#observer.url = request.url;
      given = JSON.stringify(request);
    } catch (error) {
      fault = JSON.stringify(plain(classify(error, { phase: 'handshake', delivery: 'not-sent' })));
    }
    if (this.#isOpen) this.native.provided(attempt, given, fault);
  }

  connected(event) {
    this.#loseSession();
    this.#observer.url = event.url;
    this.#tell('connected', event);
    if (this.#options.onConnect !== undefined && this.#isOpen) this.#greet(event);
  }

  up({ again }) {
    this.#observer.onUp(again);
    this.#tellInOrder('up', 0, again);
    const left = this.#left ?? [];
    this.#left = undefined;
    for (const [flags, weight, value] of left) this.onMessage(flags, weight, value);
  }

  down(event) {
    this.#lastFault = event.fault;
    this.#observer.onDown(event.fault);
    this.#tellInOrder('down', 0, event);
  }

  waitingFor(event) {
    this.#lastFault = event.fault;
    this.#loseSession(event.fault);
    this.#observer.onWaiting(event);
    const { onRetry } = this.#options;
    if (onRetry !== undefined) this.#context.runInAsyncScope(() => onRetry({ ...event }));
    this.#tellInOrder('waiting', 0, event);
  }

  async shouldReconnect({ id, close, fault }) {
    let answer;
    try {
      answer = await this.#context.runInAsyncScope(() => this.#options.shouldReconnect(new CloseEvent({ ...close, fault }), fault));
    } catch (error) {
      this.abort(error);
    }
    if (this.#isOpen) this.native.decide(id, typeof answer === 'boolean' ? Number(answer) : NO_OPINION);
  }

  fates({ fates }) {
    this.#context.runInAsyncScope(this.outgoing.onFates, this.outgoing, fates);
  }

  tellNow(hook, event) {
    this.#tell(hook, event);
  }

  over(event) {
    this.#loseSession(event.fault);
    this.#isOpen = false;
    engine.forget(this);
    this.#observer.onOver(event);
    this.#context.runInAsyncScope(this.outgoing.onOver, this.outgoing);
    this.#tellInOrder('over', 0, event);
    this.#failDrains();
  }

  // ---------------------------------------------------------------------------------------------

  #tell(hook, ...args) {
    return this.#context.runInAsyncScope(this.#socket[this.#hooks[hook]], this.#socket, ...args);
  }

  #tellInOrder(hook, weight, ...args) {
    if (this.#held.length > 0 || (this.#isPaused && weight > 0)) {
      this.#held.push([hook, weight, ...args]);
      return;
    }
    try {
      this.#tell(hook, ...args);
    } finally {
      this.#took(weight);
    }
  }

  /** The one that is called all the time. */
  #tellMessage(weight, flags, value) {
    try {
      this.#context.runInAsyncScope(this.#socket[this.#hooks.message], this.#socket, flags, value);
    } finally {
      this.#took(weight);
    }
  }

  #took(weight) {
    this.#untaken += weight;
    if (this.#untaken >= TELL_TAKEN) this.#tellTaken();
  }

  #tellTaken() {
    if (this.#isOpen) this.native.taken(this.#untaken);
    this.#untaken = 0;
  }

  /** Tells what waited, until the program pauses again. */
  #release() {
    while (!this.#isPaused && this.#held.length > 0) {
      const [hook, weight, ...args] = this.#held.shift();
      try {
        this.#tell(hook, ...args);
      } catch (error) {
        // What stands behind it must be told all the same.
        this.abort(error);
      }
      this.#took(weight);
    }
    if (this.#isPaused || !this.#isOpen) return;
    this.#tellTaken();
    this.native.setPaused(false);
  }

  #awaitRoom() {
    if (this.#drains.length === 0 || !this.#isOpen) return;
    const atMost = Math.max(...this.#drains.map((drain) => drain.atMost));
    // Not from within itself: it may be so already.
    if (this.native.notifyDrained(atMost)) this.onRoom();
  }

  #failDrains() {
    for (const { reject } of this.#drains.splice(0)) reject(closedError());
  }

  #greet({ generation, protocol, url }) {
    const session = new Session({ generation, protocol, url }, {
      send: (data) => (typeof data === 'string' ? this.native.greetText(generation, data) : this.native.greetBinary(generation, data)),
      taken: (weight) => this.#took(weight),
    });
    this.#session = session;
    this.#context.runInAsyncScope(async () => {
      let failure;
      try {
        await this.#options.onConnect.call(this.#socket, session);
      } catch (error) {
        failure = classify(error, { phase: 'handshake' });
      }
      // The connection may be gone, and there may be another one.
      if (this.#session !== session || !this.#isOpen) return;
      this.#session = undefined;
      this.#left = session.finish();
      this.native.greeted(generation, failure && JSON.stringify(plain(failure)));
    });
  }

  /** With what it left, if the connection did not come up after it. */
  #loseSession(fault) {
    for (const [, weight] of this.#left ?? []) this.#took(weight);
    this.#left = undefined;
    const session = this.#session;
    this.#session = undefined;
    session?.lose(fault === undefined ? new Error('The connection is gone.') : new FaultError(fault));
  }
}

const EVENTS = {
  provide: (connection, event) => connection.provide(event),
  redirect: (connection, event) => connection.tellNow('redirect', event),
  unexpectedResponse: (connection, event) => connection.tellNow('unexpectedResponse', event),
  connected: (connection, event) => connection.connected(event),
  up: (connection, event) => connection.up(event),
  down: (connection, event) => connection.down(event),
  waiting: (connection, event) => connection.waitingFor(event),
  shouldReconnect: (connection, event) => connection.shouldReconnect(event),
  fates: (connection, event) => connection.fates(event),
  adapt: (connection, event) => connection.tellNow('adapt', event),
  over: (connection, event) => connection.over(event),
};

/** What native code reads of a fault; a caller's own error may hold anything. */
function plain({ code, kind, phase, delivery, transient, reconnect, reason, ending, errno, syscall, address, port, detail }) {
  return { code, kind, phase, delivery, transient, reconnect, reason, ending, errno, syscall, address, port, detail };
}

module.exports = { Connection };

'use strict';

/**
 * The native half of a `Socket`: what it does goes down from here, what happens comes up, in the async context of whoever
 * called `connect`. It has a place among what the engine knows until it is closed.
 */

const { AsyncResource } = require('node:async_hooks');
const { isIP } = require('node:net');
const engine = require('../engine/engine');
const { acceptsAnyone, beginTls } = require('../engine/node-trust');
const { classify } = require('../fault');
const { FaultError } = require('../errors');
const native = require('../native');
const { closedError, endError } = require('./errors');
const { Session } = require('./session');

/** Native code is told of bytes that were taken when there are so many: a crossing for each chunk would cost more. */
const TELL_TAKEN = 64 * 1024;

/**
 * V8 collects the young buffers when they come to 32 MiB, and looks only when it makes memory for one itself. Memory that is
 * lent to it (what streams in) it would collect by the hundred megabytes, and until then native code had to take other.
 */
const LOOK_AFTER = 8 * 1024 * 1024;
let unlooked = 0;

function received(bytes) {
  unlooked += bytes;
  if (unlooked < LOOK_AFTER) return;
  unlooked = 0;
  new ArrayBuffer(1);
}

class Connection {
  #socket;
  #hooks;
  #onConnect;
  #onRetry;
  #context = new AsyncResource('UNRESET_SOCKET', { requireManualDestroy: false });
  /** Keeps the caller's `lookup` within reach of native code. */
  #lookups;
  #isOpen = true;
  /** Bytes that came and that native code has not been told are taken. */
  #untaken = 0;
  /** The stream wants no more at present. */
  #isFull = false;
  /** Of the connection there is. @type {Session | undefined} */
  #session;
  /** How `onConnect` failed on it. */
  #refusal;

  /**
   * @param {import('./socket').Socket} socket
   * @param {ReturnType<typeof import('./options').parseOptions>} options
   * @param {object} address
   * @param {Record<string, symbol>} hooks the methods of the socket that are told
   */
  constructor(socket, options, address, hooks) {
    this.#socket = socket;
    this.#hooks = hooks;
    this.#onConnect = options.onConnect;
    this.#onRetry = options.onRetry;
    /** Given by the engine. */
    this.id = 0;
    this.waiting = false;
    if (options.lookup !== undefined) this.#lookups = new (require('../fetch/lookup').Lookups)(options.lookup);
    const tls = options.tls && tlsOf(options.tls, address.host);
    const json = JSON.stringify({ ...address, ...options.native, tls: tls?.native });
    const order = require('node:dns').getDefaultResultOrder?.() ?? 'verbatim';
    engine.open(this);
    try {
      this.native = new native.NativeSocket(
        engine.nativeEngine(), this.id, `{"reconnect":${options.reconnect},${json.slice(1)}`, order, this.#lookups?.number, tls?.roots,
      );
    } catch (error) {
      engine.forget(this);
      throw error;
    }
  }

  ref() {
    if (this.#isOpen) engine.startWaiting(this);
  }

  unref() {
    engine.stopWaiting(this);
  }

  /** So many bytes have been taken, and whatever was before. */
  taken(bytes) {
    this.#isFull = false;
    this.#untaken += bytes;
    this.#tellTaken();
  }

  stats() {
    return statsOf(JSON.parse(this.native.stats()));
  }

  static noStats() {
    return statsOf({
      state: 'idle', generation: 0, uptime: null, reconnects: 0, bytesRead: 0, bytesWritten: 0, queued: 0,
      unacknowledged: 0, acknowledged: 0, rtt: null, retransmits: null,
    });
  }

  close() {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    engine.cancel(this);
    this.#session?.lose(closedError('The socket was destroyed.'));
  }

  // --- Called by the engine --------------------------------------------------------------------

  onReceived(value) {
    const chunk = typeof value === 'string' ? Buffer.from(value, 'latin1') : value;
    received(chunk.length);
    if (this.#session?.keeps) {
      this.#session.feed(chunk);
      return;
    }
    this.#untaken += chunk.length;
    this.#isFull = !this.#tell('data', chunk);
    if (!this.#isFull) this.#tellTaken();
  }

  onSent(count) {
    this.#tell('sent', count);
  }

  onRoom() {
    this.#tell('room');
  }

  onEvent({ type, ...event }) {
    EVENTS[type](this, event);
  }

  /** A bug of ours, natively. */
  onFailed({ fault }) {
    this.#finish();
    this.#tell('over', new FaultError(fault));
  }

  /** What a listener has thrown is uncaught, as it would be anywhere else. */
  abort(error) {
    process.nextTick(() => {
      throw error;
    });
  }

  // ---------------------------------------------------------------------------------------------

  connected(event) {
    this.#refusal = undefined;
    this.#tell('connected', event);
    if (this.#onConnect !== undefined) this.#greet(event.generation);
  }

  up({ again }) {
    try {
      this.#tell('up', again);
    } finally {
      // Not before it is told: a program may begin to parse anew when there is another connection.
      this.#release();
    }
  }

  lookedUp({ host, addresses, fault }) {
    const emit = (...args) => this.#context.runInAsyncScope(() => this.#socket.emit('lookup', ...args));
    if (fault !== undefined) emit(new FaultError(fault), undefined, undefined, host);
    else for (const address of addresses) emit(null, address, isIP(address), host);
  }

  unsent(event) {
    this.#tell('unsent', event);
  }

  down(event) {
    this.#loseSession(event.fault);
    this.#tell('down', event);
  }

  waitingFor(event) {
    this.#loseSession(event.fault);
    if (this.#onRetry !== undefined) this.#context.runInAsyncScope(this.#onRetry, undefined, { ...event });
    this.#tell('waiting', event);
  }

  peerEnded() {
    this.#tell('peerEnded');
  }

  finished() {
    this.#tell('finished');
  }

  over(event) {
    this.#loseSession(event.fault);
    this.#finish();
    // The connection may have been lost before it was heard of.
    const cause = event.fault?.code === this.#refusal?.fault.code ? this.#refusal?.error : undefined;
    this.#tell('over', event.fault === undefined ? undefined : endError(event, cause));
  }

  #finish() {
    this.#isOpen = false;
    engine.forget(this);
  }

  #tell(hook, argument) {
    return this.#context.runInAsyncScope(this.#socket[this.#hooks[hook]], this.#socket, argument);
  }

  #tellTaken() {
    if (this.#isFull || this.#untaken < TELL_TAKEN || !this.#isOpen) return;
    this.native.taken(this.#untaken);
    this.#untaken = 0;
  }

  #greet(generation) {
    const session = new Session(
      generation,
      (bytes) => this.native.greet(generation, bytes),
      (bytes) => this.native.taken(bytes),
    );
    this.#session = session;
    this.#context.runInAsyncScope(async () => {
      let failure;
      try {
        await this.#onConnect.call(this.#socket, session);
      } catch (error) {
        failure = refused(error);
      }
      // The connection may be gone, and there may be another one.
      if (this.#session !== session || !this.#isOpen) return;
      session.finish();
      this.#refusal = failure;
      this.native.greeted(generation, failure && JSON.stringify(failure.fault));
    });
  }

  #release() {
    if (!this.#session?.keeps || !this.#isOpen) return;
    const { bytes, told } = this.#session.release();
    if (bytes.length === 0) return;
    this.#untaken -= told;
    this.onReceived(bytes);
  }

  #loseSession(fault) {
    const session = this.#session;
    this.#session = undefined;
    session?.lose(fault === undefined ? closedError('The socket has ended.') : new FaultError(fault));
  }
}

const EVENTS = {
  lookup: (connection, event) => connection.lookedUp(event),
  connected: (connection, event) => connection.connected(event),
  up: (connection, event) => connection.up(event),
  unsent: (connection, event) => connection.unsent(event),
  down: (connection, event) => connection.down(event),
  waiting: (connection, event) => connection.waitingFor(event),
  peerEnded: (connection) => connection.peerEnded(),
  finished: (connection) => connection.finished(),
  over: (connection, event) => connection.over(event),
};

/** How `onConnect` failed: what native code reads of it, for a caller's own error may hold anything, and the error itself. */
function refused(error) {
  const { code, kind, phase, delivery, transient, reconnect, reason, ending, errno, syscall, address, port, detail } =
    classify(error, { phase: 'handshake' });
  const fault = { code, kind, phase, delivery, transient, reconnect, reason, ending, errno, syscall, address, port, detail };
  if (kind === 'unknown') fault.reason = detail === undefined ? 'onConnect failed.' : `onConnect failed: ${detail}`;
  return { error, fault };
}

function tlsOf({ servername, rejectUnauthorized = !acceptsAnyone(), options, alpn }, host) {
  const roots = beginTls(options.ca === undefined);
  // Whom the certificate must be for; a path has no name.
  const name = servername ?? host ?? 'localhost';
  return { roots, native: { options, name, alpn, rejectUnauthorized } };
}

function statsOf({ queued, ...stats }) {
  return Object.fromEntries(
    Object.entries({ ...stats, queue: { bytes: queued } }).map(([key, value]) => [key, value ?? undefined]),
  );
}

module.exports = { Connection };

'use strict';

/**
 * A WebSocket that stays connected: the class of the WHATWG standard and the client of `ws` in one object, over a succession of
 * native connections (`src/websocket`). What happens natively arrives at `connection.js`, and from there through the methods
 * below that are named by symbols.
 *
 * It lives longer than each of its connections. So a loss is no error and no end: 'open' and 'close' come once, and
 * between connections it is CONNECTING. What is sent then waits.
 */

const { checkNumber } = require('../validate');
const { parseClosing } = require('./closing');
const { Connection } = require('./connection');
const { CONNECTING, OPEN, CLOSING, CLOSED, defineStates } = require('./constants');
const { EmittingTarget, defineHandlers } = require('./emitting-target');
const { closedEarlyError, finalError, notOpenError } = require('./errors');
const { CloseEvent, detailEvent, errorEvent, messageEvent } = require('./events');
const { hooks } = require('./hooks');
const { isSequence } = require('./address');
const { BINARY_TYPES, binaryOf, bufferOf, isText, textOf } = require('./message');
const { checkKeys, parseOptions } = require('./options');
const { HandshakeRequest } = require('./request');
const { requestOf, responseOf } = require('./response');
const { Sender, bodyOf } = require('./sender');
const { Warning } = require('../net/warning');

const UNKNOWN_FLOW = Object.freeze({ pace: null, window: null, largest: null, oversized: null, drops: 0 });

/** The code of an end that needs no reason. */
const NORMAL = 1000;

/** Bytes that a control frame holds. */
const LONGEST_PING = 125;

/** See `index.d.ts`. */
class WebSocket extends EmittingTarget {
  #connection;
  #readyState = CONNECTING;
  #url;
  #origin = '';
  #protocol = '';
  #extensions = '';
  /** `undefined` until it is set: then it differs from one surface to the other. */
  #binaryType;
  #isPaused = false;
  #wasOpen = false;
  /** The program wants no more of it. */
  #isEnded = false;
  /** And it had never been open. */
  #isClosedEarly = false;
  /** @type {Sender} */
  #sender;
  /** What 'disconnect' tells of a connection that the peer has ended with 1000, if it does. */
  #orderlyEnd;
  /** Of an endpoint that is not known yet. */
  #flow;
  /** Whether what the endpoint has taught is heeded. */
  #adapts;
  #warning = new Warning('WebSocket', () => ['disconnect', 'reconnecting'].some((name) => this.#isHeard(name)));

  /**
   * @param {string | URL | Function} url
   * @param {string | string[] | Function | import('../..').WebSocketOptions} [protocols]
   * @param {import('../..').WebSocketOptions} [options]
   */
  constructor(url, protocols, options) {
    super();
    if (arguments.length === 0) throw new TypeError('The URL must be given.');
    const isSecondOptions = typeof protocols === 'object' && protocols !== null && !isSequence(protocols);
    const given = checkKeys((isSecondOptions ? protocols : options) ?? {});
    const asked = isSecondOptions || protocols === undefined ? given.protocols : protocols;
    const request = new HandshakeRequest(url, asked, given);
    this.#url = request.url;
    const parsed = parseOptions(given);
    const { adapt, maxFrame } = parsed.native;
    this.#adapts = adapt;
    this.#flow = { ...UNKNOWN_FLOW, frame: maxFrame, maxFrame };
    this.#connection = new Connection(this, request, parsed, hooks);
    this.#sender = new Sender(this.#connection.outgoing, (lost) => this[hooks.unsent](lost));
    this.#watchForText();
  }

  // --- The standard ----------------------------------------------------------------------------

  get url() {
    return this.#url;
  }

  get readyState() {
    return this.#readyState;
  }

  get protocol() {
    return this.#protocol;
  }

  get extensions() {
    return this.#extensions;
  }

  get bufferedAmount() {
    return this.#sender.bytes;
  }

  /** 'blob', as the standard begins with, for events; `on('message')` has buffers as with `ws` until it is set. */
  get binaryType() {
    return this.#binaryType ?? 'blob';
  }

  set binaryType(type) {
    if (BINARY_TYPES.includes(type)) this.#binaryType = type;
  }

  /**
   * @param {unknown} data a string, an ArrayBuffer, a view, a Blob; anything else is sent as the text that it makes
   * @param {object | Function} [options]
   * @param {Function} [callback]
   */
  send(data, options, callback) {
    if (arguments.length === 0) throw new TypeError('The message must be given.');
    if (typeof options === 'function') this.#sender.send(data, undefined, options);
    else this.#sender.send(data, options, callback);
  }

  /** Ends it for good: what was sent leaves first, if there is a connection for it. */
  close(code, reason) {
    const closing = parseClosing(code, reason);
    if (this.#readyState >= CLOSING) return;
    this.#end();
    this.#sender.inOrder({ run: () => this.#connection.close(closing) });
  }

  // --- ws --------------------------------------------------------------------------------------

  get isPaused() {
    return this.#isPaused;
  }

  /** Ends it at once, with an RST if there is a connection. */
  terminate() {
    if (this.#readyState === CLOSED) return;
    this.#end();
    this.#sender.clear();
    this.#isPaused = false;
    this.#connection.terminate();
  }

  ping(data, mask, callback) {
    this.#control('ping', data, mask, callback);
  }

  pong(data, mask, callback) {
    this.#control('pong', data, mask, callback);
  }

  /** No 'message', 'ping' or 'pong' until {@link resume}; the peer is not read meanwhile. */
  pause() {
    if (this.#readyState === CLOSED) return;
    this.#isPaused = true;
    this.#connection.pause();
  }

  resume() {
    if (this.#readyState === CLOSED && !this.#isPaused) return;
    this.#isPaused = false;
    this.#connection.resume();
  }

  // --- Ours ------------------------------------------------------------------------------------

  /**
   * As `send`, and says what became of the message.
   *
   * @returns {Promise<'written' | 'unsent' | 'unknown'>}
   */
  deliver(data, options) {
    return new Promise((resolve) => {
      this.send(data, options, (error) => resolve(wordOf(error)));
    });
  }

  /** Resolves when not more than `atMost` bytes wait to be sent. */
  async drained(atMost = 0) {
    checkNumber(atMost, 'atMost', { infinity: true });
    if (this.bufferedAmount <= atMost) return;
    await this.#sender.handedOver();
    await this.#connection.drained(atMost);
  }

  /** What its endpoint has taught: how large frames are, how fast they leave. */
  flow() {
    const learnt = JSON.parse(this.#connection.native.flow());
    const { frame, pace } = this.#flow;
    return withoutNulls({ ...this.#flow, ...learnt, ...(this.#adapts ? undefined : { frame, pace }) });
  }

  stats() {
    return withoutNulls(JSON.parse(this.#connection.native.stats()));
  }

  ref() {
    this.#connection.ref();
    return this;
  }

  unref() {
    this.#connection.unref();
    return this;
  }

  addEventListener(type, listener, options) {
    super.addEventListener(type, listener, options);
    if (type === 'message') this.#watchForText();
  }

  // ---------------------------------------------------------------------------------------------

  /** Listeners of `on` alone want bytes; native code need not make strings for them. */
  #watchForText() {
    this.#connection?.native.setTextAsBytes(!this.mayBeHeard('message'));
  }

  #control(name, data, mask, callback) {
    const told = [data, mask, callback].find((argument) => typeof argument === 'function');
    const bytes = Buffer.from(data === undefined || data === null || data === told ? '' : bodyOf(data));
    if (bytes.length > LONGEST_PING) {
      throw Object.assign(new RangeError(`The data of a ${name} must have at most ${LONGEST_PING} bytes. Received ${bytes.length}.`), { code: 'ERR_OUT_OF_RANGE' });
    }
    this.#sender.inOrder({
      run: () => {
        const isSent = this.#readyState === OPEN && this.#connection.control(name, bytes);
        if (told !== undefined) process.nextTick(told, ...(isSent ? [] : [notOpenError()]));
      },
    });
  }

  /** The program has ended it. */
  #end() {
    this.#isClosedEarly ||= !this.#wasOpen;
    this.#isEnded = true;
    this.#readyState = CLOSING;
    this.#warning.stop();
    this.#sender.end();
  }

  /** To the listeners of `on`, and of the standard. */
  #announce(name, makeEvent, ...args) {
    try {
      this.emit(name, ...args);
    } finally {
      if (this.mayBeHeard(name)) this.dispatchEvent(makeEvent());
    }
  }

  #announceDetail(name, detail) {
    this.#announce(name, () => detailEvent(name, detail), detail);
  }

  /**
   * An error that nobody listens for is thrown where the program listens as one does with `ws`. On the standard's surface an
   * error is no more than an event.
   */
  #announceError(error) {
    const isThrown = !this.#isHeard('error') && this.eventNames().length > 0;
    if (isThrown || this.listenerCount('error') > 0) this.#announce('error', () => errorEvent(error), error);
    else if (this.mayBeHeard('error')) this.dispatchEvent(errorEvent(error));
  }

  #isHeard(name) {
    return this.listenerCount(name) > 0 || this.mayBeHeard(name);
  }

  // --- Called by the connection ----------------------------------------------------------------

  [hooks.message](flags, value) {
    const isBinary = !isText(flags);
    try {
      if (this.listenerCount('message') > 0) {
        const data = isBinary && this.#binaryType !== undefined ? binaryOf(flags, value, this.#binaryType) : bufferOf(flags, value);
        this.emit('message', data, isBinary);
      }
    } finally {
      // As the standard has it, no more of them once `close` was called.
      if (this.#readyState === OPEN && this.mayBeHeard('message')) {
        const data = isBinary ? binaryOf(flags, value, this.binaryType) : textOf(flags, value);
        this.dispatchEvent(messageEvent(data, this.#origin));
      }
    }
  }

  [hooks.ping](value) {
    this.emit('ping', Buffer.from(value, 'latin1'));
  }

  [hooks.pong](value) {
    this.emit('pong', Buffer.from(value, 'latin1'));
  }

  [hooks.redirect]({ url, status, headers }) {
    this.emit('redirect', url, responseOf({ status, headers }));
  }

  [hooks.unexpectedResponse]({ body, ...head }) {
    if (this.listenerCount('unexpected-response') === 0) return;
    this.emit('unexpected-response', requestOf(head.url ?? this.#url), responseOf(head, body));
  }

  [hooks.connected](event) {
    const { url, protocol, extensions } = event;
    this.#url = url;
    this.#origin = new URL(url).origin;
    this.#protocol = protocol;
    this.#extensions = extensions;
    if (this.listenerCount('upgrade') > 0) this.emit('upgrade', responseOf({ ...event, status: 101, statusText: 'Switching Protocols' }));
  }

  [hooks.up](again) {
    if (this.#readyState !== CONNECTING) return;
    this.#readyState = OPEN;
    this.#warning.stop();
    const isFirst = !this.#wasOpen;
    this.#wasOpen = true;
    if (isFirst) this.#announce('open', () => new Event('open'));
    else this.#announceDetail('reconnect', again);
  }

  [hooks.down]({ fault, unacknowledged, uptime, close, ...loss }) {
    // What the program has ended is not lost.
    if (this.#isEnded) return;
    this.#readyState = CONNECTING;
    const detail = withoutNulls({ fault, unacknowledged: unacknowledged ?? 'unknown', uptime, code: close.code, reason: close.reason, ...loss });
    // Nor is what a peer ends that is done, unless the program wants it back.
    if (close.code === NORMAL && close.wasClean) this.#orderlyEnd = detail;
    else this.#announceDetail('disconnect', detail);
  }

  [hooks.waiting](next) {
    if (this.#isEnded) return;
    this.#warning.start(next.fault);
    const end = this.#orderlyEnd;
    this.#orderlyEnd = undefined;
    if (end !== undefined) this.#announceDetail('disconnect', end);
    this.#announceDetail('reconnecting', next);
  }

  [hooks.adapt](change) {
    if (!this.#adapts) return;
    this.#announceDetail('adapt', withoutNulls(change));
  }

  [hooks.oversized](flags, value, { bytes, largest, fault }) {
    const data = isText(flags) ? textOf(flags, value) : bufferOf(flags, value);
    this.#announceDetail('oversized', { data, isBinary: !isText(flags), bytes, largest, fault });
  }

  [hooks.unsent]({ messages, bytes, error }) {
    this.#announceDetail('unsent', { messages, bytes, delivery: error.delivery, error });
  }

  [hooks.over](event) {
    const { close } = event;
    // An end that was wanted on both sides is none.
    const fault = close.wasClean && (this.#isEnded || close.code === NORMAL) ? undefined : event.fault;
    this.#readyState = CLOSED;
    this.#isPaused = false;
    this.#warning.stop();
    this.#sender.clear();
    try {
      if (this.#isClosedEarly) this.#announceError(closedEarlyError());
      else if (fault !== undefined && !close.wasClean && !this.#isEnded) this.#announceError(finalError(event));
    } finally {
      const { code, reason } = close;
      this.#announce('close', () => new CloseEvent({ ...close, fault }), code, Buffer.from(reason), fault);
    }
  }
}
defineStates(WebSocket);
defineHandlers(WebSocket, ['open', 'message', 'error', 'close']);
// As WebIDL has it: what an object of the class has is listed.
for (const name of ['url', 'readyState', 'protocol', 'extensions', 'bufferedAmount', 'binaryType', 'send', 'close']) {
  Object.defineProperty(WebSocket.prototype, name, { enumerable: true });
}
Object.defineProperty(WebSocket.prototype, Symbol.toStringTag, { value: 'WebSocket', configurable: true });

/** @returns {'written' | 'unsent' | 'unknown'} */
function wordOf(error) {
  if (error === undefined || error === null) return 'written';
  return error.delivery === 'not-sent' ? 'unsent' : 'unknown';
}

function withoutNulls(object) {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, value ?? undefined]));
}

module.exports = { WebSocket };

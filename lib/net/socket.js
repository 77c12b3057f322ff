'use strict';

/**
 * A TCP or TLS connection that stays connected, with the surface of `net.Socket`: a stream over a succession of native
 * connections (`src/tcp`). What happens natively arrives at `connection.js`, and from there through the methods below
 * that are named by symbols.
 *
 * The stream lives longer than each of its connections. So a loss is no error of the stream's, a failed write is told to its
 * callback alone, and only what is final ends it.
 */

const { Duplex, addAbortSignal } = require('node:stream');
const { checkBoolean, checkFunction, checkMilliseconds, checkNumber, invalidArgument, outOfRange } = require('../validate');
const { normalized, parseAddress } = require('./address');
const { Connection } = require('./connection');
const { closedError, unsentError } = require('./errors');
const { hooks } = require('./hooks');
const { Idle } = require('./idle');
const { KEEP_ALIVE, STREAM_KEYS, checkKeys, parseOptions, parseStream } = require('./options');
const { Outlet } = require('./outlet');
const { Peer } = require('./peer');
const { Warning } = require('./warning');

const NOT_CONNECTED = Object.freeze({ local: null, remote: null });

/** See `index.d.ts`. */
class Socket extends Duplex {
  #options;
  /** @type {Connection | undefined} */
  #connection;
  #outlet = new Outlet();
  #idle = new Idle(() => this.emit('timeout'), () => this.#traffic());
  #warning = new Warning('Socket', () => this.listenerCount('disconnect') + this.listenerCount('reconnecting') > 0);
  #addresses = NOT_CONNECTED;
  #peer = new Peer(null);
  #isUp = false;
  /** The last fault that a connection was lost by. */
  #lastFault;
  #isReferenced = true;
  /** Bytes, of the program. */
  #written = 0;
  /** What is set before there is a connection. */
  #noDelay;
  #keepAlive;

  /** @param {import('../..').SocketOptions} [options] */
  constructor(options = {}) {
    const given = checkKeys(options);
    const { stream, signal, timeout } = parseStream(given);
    parseOptions(given);
    super({ ...stream, emitClose: false, autoDestroy: true, decodeStrings: true });
    this.#options = given;
    this.bytesRead = 0;
    /** @type {number | undefined} */
    this.timeout = undefined;
    if (timeout) this.setTimeout(timeout);
    if (signal !== undefined) addAbortSignal(signal, this);
  }

  /** As `net.Socket.connect`, in all its forms. */
  connect(...args) {
    const [address, callback] = normalized(args);
    if (this.destroyed) {
      // It is about to say so by 'error'.
      if (this.#options.signal?.aborted) return this;
      throw closedError('The socket is closed. A socket is not revived: make another one.');
    }
    if (this.#connection !== undefined) throw closedError('The socket is connected, or will be by itself: connect() is called once.');
    const given = { ...this.#options, ...this.#forConnection(checkKeys(address)) };
    this.#connection = new Connection(this, parseOptions(given), parseAddress(given, 'options'), hooks);
    this.#options = given;
    const { native } = this.#connection;
    if (callback !== undefined) this.once('connect', callback);
    if (this.#noDelay !== undefined) native.setNoDelay(this.#noDelay);
    if (this.#keepAlive !== undefined) native.setKeepAlive(this.#keepAlive);
    if (this.#isReferenced) this.#connection.ref();
    this.#outlet.open(native);
    return this;
  }

  /** What is the stream's is settled when it is made. */
  #forConnection(given) {
    for (const key of STREAM_KEYS) {
      if (given[key] !== undefined && given[key] !== this.#options[key]) {
        throw invalidArgument(`options.${key} must be given to the constructor.`);
      }
    }
    if (given.timeout !== undefined) this.setTimeout(given.timeout);
    return given;
  }

  // --- The stream ------------------------------------------------------------------------------

  write(chunk, encoding, callback) {
    if (typeof encoding === 'function') return this.write(chunk, undefined, encoding);
    // The stream says what is wrong in its own words.
    if (this.writableEnded || this.destroyed) return super.write(chunk, encoding, callback);
    this.#outlet.add(callback);
    const before = this.writableLength;
    try {
      const goesOn = super.write(chunk, encoding);
      // What is under way counts, too: no write is done before the next tick.
      this.#written += this.writableLength - before;
      return goesOn;
    } catch (error) {
      this.#outlet.takeBack();
      throw error;
    }
  }

  end(chunk, encoding, callback) {
    if (typeof chunk === 'function') return super.end(chunk);
    if (typeof encoding === 'function') return this.end(chunk, undefined, encoding);
    // The stream's own `end` passes `write` over.
    if (chunk !== undefined && chunk !== null && !this.writableEnded) {
      this.write(chunk, encoding);
      return super.end(callback);
    }
    return super.end(chunk, encoding, callback);
  }

  _write(chunk, encoding, callback) {
    this.#idle.active();
    this.#outlet.write(chunk, callback);
  }

  _writev(chunks, callback) {
    this.#idle.active();
    this.#outlet.writeAll(chunks, callback);
  }

  _final(callback) {
    this.#outlet.end(callback);
  }

  _read() {
    this.#connection?.taken(0);
  }

  _destroy(error, callback) {
    const wasConnected = this.stats().generation > 0;
    this.#connection?.close();
    this.#isUp = false;
    this.#addresses = NOT_CONNECTED;
    this.#warning.stop();
    this.#idle.stop();
    this.#outlet.close(wasConnected, error);
    callback(error);
    // After 'error', which the callback has put into the queue.
    process.nextTick(() => this.emit('close', Boolean(error)));
  }

  /** Ends the socket when everything that was written has left. */
  destroySoon() {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', this.destroy);
  }

  /** Ends the connection with an RST, and the socket with it. */
  resetAndDestroy() {
    if (this.#connection === undefined) return this.destroy(closedError('The socket was not connected.'));
    this.#connection.native.endWithReset();
    return this.destroy();
  }

  // --- What is ours ----------------------------------------------------------------------------

  /** The peer has confirmed so many further messages. */
  acknowledge(messages = 1) {
    checkNumber(messages, 'messages', { max: 2 ** 32 - 1, integer: true });
    if (this.#connection?.native.acknowledge(messages)) return this;
    const { unacknowledged } = this.stats();
    throw outOfRange('messages', `at most the number of messages that were sent and are not acknowledged (${unacknowledged})`, messages);
  }

  stats() {
    return this.#connection === undefined ? Connection.noStats() : this.#connection.stats();
  }

  // --- What net.Socket has ---------------------------------------------------------------------

  setTimeout(milliseconds, callback) {
    checkMilliseconds(milliseconds, 'milliseconds');
    if (callback !== undefined) checkFunction(callback, 'callback');
    if (this.destroyed) return this;
    this.timeout = milliseconds;
    this.#idle.set(milliseconds);
    if (callback === undefined) return this;
    return milliseconds === 0 ? this.removeListener('timeout', callback) : this.once('timeout', callback);
  }

  #traffic() {
    const { bytesWritten, queue } = this.stats();
    return { waiting: queue.bytes > 0, written: bytesWritten };
  }

  setNoDelay(on = true) {
    this.#noDelay = Boolean(on);
    this.#connection?.native.setNoDelay(this.#noDelay);
    return this;
  }

  setKeepAlive(on = false, initialDelay = 0) {
    checkMilliseconds(initialDelay, 'initialDelay');
    this.#keepAlive = on ? initialDelay || KEEP_ALIVE : -1;
    this.#connection?.native.setKeepAlive(this.#keepAlive);
    return this;
  }

  ref() {
    this.#isReferenced = true;
    this.#connection?.ref();
    return this;
  }

  unref() {
    this.#isReferenced = false;
    this.#connection?.unref();
    return this;
  }

  address() {
    const { local } = this.#addresses;
    return local === null ? {} : { address: local.address, family: familyOf(local.address), port: local.port };
  }

  get localAddress() {
    return this.#addresses.local?.address;
  }

  get localPort() {
    return this.#addresses.local?.port;
  }

  get localFamily() {
    return this.localAddress && familyOf(this.localAddress);
  }

  get remoteAddress() {
    return this.#addresses.remote?.address;
  }

  get remotePort() {
    return this.#addresses.remote?.port;
  }

  get remoteFamily() {
    return this.remoteAddress && familyOf(this.remoteAddress);
  }

  /** It has been told to connect, and is not connected at present. */
  get connecting() {
    return this.#connection !== undefined && !this.#isUp && !this.destroyed;
  }

  get pending() {
    return !this.#isUp;
  }

  get readyState() {
    if (this.connecting) return 'opening';
    if (!this.#isUp) return 'closed';
    if (this.readable && this.writable) return 'open';
    if (this.readable) return 'readOnly';
    return this.writable ? 'writeOnly' : 'closed';
  }

  /** What was written, sent or not. */
  get bytesWritten() {
    return this.#written;
  }

  get bufferSize() {
    return this.#connection === undefined ? undefined : this.stats().queue.bytes + this.writableLength;
  }

  get encrypted() {
    return Boolean(this.#options.tls);
  }

  get authorized() {
    return this.#peer.authorized;
  }

  get authorizationError() {
    return this.#peer.authorizationError;
  }

  get alpnProtocol() {
    return this.#peer.alpnProtocol;
  }

  getProtocol() {
    return this.#peer.protocol;
  }

  getCipher() {
    return this.#peer.cipher;
  }

  getPeerCertificate(detailed = false) {
    return this.#peer.certificate(checkBoolean(detailed, 'detailed'));
  }

  getPeerX509Certificate() {
    return this.#peer.x509;
  }

  // --- What happens natively, told by `connection.js` ------------------------------------------

  [hooks.connected]({ local, remote, tls }) {
    this.#addresses = { local, remote };
    this.#peer = new Peer(tls);
  }

  [hooks.up](again) {
    this.#isUp = true;
    this.#warning.stop();
    this.#idle.active();
    if (again !== null) {
      this.emit('reconnect', again);
      return;
    }
    this.emit('connect');
    this.emit('ready');
    if (this.encrypted) this.emit('secureConnect');
  }

  [hooks.data](chunk) {
    this.bytesRead += chunk.length;
    this.#idle.active();
    return this.push(chunk);
  }

  [hooks.sent](count) {
    this.#idle.active();
    this.#outlet.sent(count);
  }

  [hooks.room]() {
    this.#outlet.goOn();
  }

  [hooks.unsent]({ writes, bytes, why }) {
    const error = unsentError(why, why === 'cut' ? this.#lastFault : undefined);
    const unheard = this.#outlet.unsent(writes, error);
    if (unheard > 0) this.emit('unsent', { writes: unheard, bytes, error });
  }

  [hooks.down]({ fault, unacknowledged, uptime }) {
    this.#isUp = false;
    this.#addresses = NOT_CONNECTED;
    this.#lastFault = fault;
    this.#endText();
    this.emit('disconnect', { fault, unacknowledged: unacknowledged ?? 'unknown', uptime });
  }

  [hooks.waiting](next) {
    this.#addresses = NOT_CONNECTED;
    this.#warning.start(next.fault);
    this.emit('reconnecting', next);
  }

  [hooks.peerEnded]() {
    this.push(null);
    // Nobody may be reading: an end with nothing before it is told all the same.
    this.read(0);
  }

  [hooks.finished]() {
    this.#outlet.finished();
  }

  [hooks.over](error) {
    this.#isUp = false;
    if (error !== undefined) this.destroy(error);
  }

  /** With `setEncoding`: the first bytes of the next connection do not complete the last character of this one. */
  #endText() {
    const rest = this._readableState.decoder?.end();
    if (rest) this.push(rest, this.readableEncoding);
  }
}

function familyOf(address) {
  return address.includes(':') ? 'IPv6' : 'IPv4';
}

module.exports = { Socket };

'use strict';

/**
 * A proxy that makes real network faults on demand. The connections, the faults and the clock are native
 * (`src/proxy`); here are its options, its errors and its life.
 *
 * It lives as a `net.Server` does: until it is closed, whether or not somebody still holds it, and while it is
 * referenced it keeps the process alive. What keeps it is this module, not native code: when a worker ends or a
 * realm of Jest's is forgotten, the module goes, and with it every proxy that was left open.
 */

const { asyncDispose } = require('../async-dispose');
const { NativeProxy } = require('../native');
const { closedError, hostPort, listenError, planError } = require('./errors');
const { frozenFault } = require('./fault');
const { parseListenOptions } = require('./options');
const { Timeline } = require('./timeline');

/** What shows that the constructor was called from here. */
const LISTENING = Symbol('listening');

/** @type {Set<FaultProxy>} */
const open = new Set();

/** The proxy that a handle belongs to: its timeline is what a failed test wants to show. @type {WeakMap} */
const owners = new WeakMap();

/** See `index.d.ts`. */
class FaultProxy {
  #native;
  #closing;
  #host;
  #port;
  #seed;

  /** @param {import('../..').FaultProxyOptions} options */
  static async listen(options) {
    const given = parseListenOptions(options);
    let native;
    const problem = await new Promise((resolve) => {
      native = new NativeProxy(JSON.stringify(given), resolve);
    });
    // Made here, in the function that the caller awaits: the stack leads to the caller.
    if (problem !== null) throw listenError(JSON.parse(problem));
    return new FaultProxy(LISTENING, native, given.seed);
  }

  constructor(listening, native, seed) {
    if (listening !== LISTENING) throw new TypeError('A FaultProxy is made by FaultProxy.listen()');
    this.#native = native;
    this.#host = native.host;
    this.#port = native.port;
    this.#seed = seed;
    open.add(this);
    native.hold(true);
  }

  get port() {
    return this.#port;
  }

  get address() {
    return hostPort(this.#host, this.#port);
  }

  get seed() {
    return this.#seed;
  }

  url(path = '/') {
    // An address that means "all of them" is none that a client can ask for.
    const host = { '0.0.0.0': '127.0.0.1', '::': '::1' }[this.#host] ?? this.#host;
    return `http://${hostPort(host, this.#port)}${path.startsWith('/') ? '' : '/'}${path}`;
  }

  add(fault) {
    if (this.#closing) throw closedError();
    const copy = frozenFault(fault);
    const id = this.#native.add(JSON.stringify(copy));
    if (typeof id === 'string') throw planError(JSON.parse(id));
    const handle = new FaultHandle(this.#native, id, copy);
    owners.set(handle, this);
    return handle;
  }

  resetAll() {
    return this.#native.resetAll();
  }

  pause() {
    this.#native.pause();
  }

  resume() {
    this.#native.resume();
  }

  stats() {
    return JSON.parse(this.#native.stats());
  }

  timeline() {
    return Timeline.fromNative(JSON.parse(this.#native.timeline()));
  }

  ref() {
    if (!this.#closing) this.#native.hold(true);
    return this;
  }

  unref() {
    this.#native.hold(false);
    return this;
  }

  close() {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close() {
    const problem = await new Promise((resolve) => {
      this.#native.close(resolve);
    });
    this.#native.hold(false);
    open.delete(this);
    if (problem !== null) throw listenError(JSON.parse(problem));
  }

  [asyncDispose]() {
    return this.close();
  }
}

/** A fault at work. Made by `FaultProxy.add`. */
class FaultHandle {
  #native;
  #id;
  #fault;

  constructor(native, id, fault) {
    this.#native = native;
    this.#id = id;
    this.#fault = fault;
  }

  /** Its number in the timeline: the first fault of a proxy is 1. */
  get id() {
    return this.#id;
  }

  get fault() {
    return this.#fault;
  }

  get hits() {
    return this.#native.hits(this.#id);
  }

  remove() {
    this.#native.remove(this.#id);
  }
}

/** Closes every proxy of this realm that is open. */
async function closeProxies() {
  await Promise.all(Array.from(open, (proxy) => proxy.close()));
}

/** The proxy that something is, or is a handle of. */
function proxyOf(thing) {
  return thing instanceof FaultProxy ? thing : owners.get(thing);
}

module.exports = { FaultProxy, closeProxies, proxyOf };

'use strict';

/**
 * The events of the standard's surface: Node's own classes where this Node has them, and the same shape where it does not.
 * `CloseEvent` is global from Node 23, `ErrorEvent` from a later one still.
 */

class ShimCloseEvent extends Event {
  #code;
  #reason;
  #wasClean;

  constructor(type, { code = 0, reason = '', wasClean = false, ...init } = {}) {
    super(type, init);
    this.#code = code;
    this.#reason = reason;
    this.#wasClean = wasClean;
  }

  get code() {
    return this.#code;
  }

  get reason() {
    return this.#reason;
  }

  get wasClean() {
    return this.#wasClean;
  }

  get [Symbol.toStringTag]() {
    return 'CloseEvent';
  }
}

class ShimErrorEvent extends Event {
  #message;
  #error;

  constructor(type, { message = '', error, ...init } = {}) {
    super(type, init);
    this.#message = message;
    this.#error = error;
  }

  get message() {
    return this.#message;
  }

  get error() {
    return this.#error;
  }

  get [Symbol.toStringTag]() {
    return 'ErrorEvent';
  }
}

/** How a WebSocket was closed, and why: `fault` says what the code alone does not. */
class CloseEvent extends (globalThis.CloseEvent ?? ShimCloseEvent) {
  /**
   * @param {{ code: number, reason: string, wasClean: boolean, fault?: import('../..').Fault }} closing
   */
  constructor({ fault, ...closing }) {
    super('close', closing);
    /** `undefined` where nothing went wrong. */
    this.fault = fault;
  }
}

/** @param {Error} error */
function errorEvent(error) {
  return new (globalThis.ErrorEvent ?? ShimErrorEvent)('error', { message: error.message, error });
}

/** @param {unknown} data in the form that `binaryType` asks for */
function messageEvent(data, origin) {
  return new MessageEvent('message', { data, origin });
}

/** For what only this package tells: the object that listeners of `on` get is the `detail`. */
function detailEvent(name, detail) {
  return new CustomEvent(name, { detail });
}

module.exports = { CloseEvent, errorEvent, messageEvent, detailEvent };

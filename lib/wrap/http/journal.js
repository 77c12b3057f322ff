'use strict';

/** What the caller has done to a request besides writing its body, so that another attempt begins as the same. */

const { copyValue } = require('./header-options');

/** Of these the latest call counts. */
const SETTINGS = new Set(['setTimeout', 'setNoDelay', 'setSocketKeepAlive']);

/**
 * The methods of a `ClientRequest` that change it; those that this version of Node has not are left out by the
 * facade.
 */
const CHANGES = Object.freeze(['setHeader', 'setHeaders', 'appendHeader', 'removeHeader', 'addTrailers', ...SETTINGS]);

class Journal {
  /**
   * In their order. Bounded by the caller: nothing of this can be called once the header has left. @type {[string,
   * unknown[]][]}
   */
  #calls = [];
  /** @type {Map<string, unknown[]>} */
  #settings = new Map();
  /** @type {Map<string, unknown>} */
  #fields = new Map();

  /** @param {import('node:http').ClientRequest} request that it was called on */
  called(method, args, request) {
    if (SETTINGS.has(method)) {
      this.#settings.set(method, args);
    } else if (method === 'setHeaders') {
      // What it was given can change, and be read only once.
      for (const name of args[0].keys()) this.#calls.push(['setHeader', [name, copyValue(request.getHeader(name))]]);
    } else {
      this.#calls.push([method, args.map(copyValue)]);
    }
  }

  assigned(field, value) {
    this.#fields.set(field, value);
  }

  /** @param {import('node:http').ClientRequest} request of another attempt, made from the same options */
  replay(request) {
    for (const [field, value] of this.#fields) request[field] = value;
    // Copies, because `appendHeader` adds to the array that was set.
    for (const [method, args] of this.#calls) request[method](...args.map(copyValue));
    for (const [method, args] of this.#settings) request[method](...args);
  }
}

module.exports = { CHANGES, Journal };

'use strict';

/**
 * What `request` returns: to the caller an `http.ClientRequest`, whatever the number of attempts behind it.
 *
 * It is `instanceof http.ClientRequest` without being one: the constructor of that class starts a request. Only
 * what differs while attempts follow each other is here; for all other members it stands for the latest attempt
 * (`mirror.js`).
 */

const { ClientRequest } = require('node:http');
const { Stream, addAbortSignal } = require('node:stream');

const { Course } = require('./course');
const { CHANGES } = require('./journal');
const { mirror } = require('./mirror');
const { Order } = require('./order');

const COURSE = Symbol('course');

class ResilientRequest extends Stream {
  /**
   * @param {import('./client').Client} client
   * @param {{ options: object, callback: unknown }} asked
   * @throws what Node throws for options that are wrong
   */
  constructor(client, { options, callback }) {
    super();
    /** The response, once it is the answer. @type {import('node:http').IncomingMessage | null} */
    this.res = null;
    if (callback) this.once('response', callback);
    const { signal } = options;
    // It ends the request, not only an attempt.
    if (signal) options.signal = undefined;
    const course = new Course(this, new Order(client, options));
    this[COURSE] = course;
    if (signal) addAbortSignal(signal, this);
    course.start();
  }

  write(chunk, encoding, callback) {
    const { upload, request, runs } = this[COURSE];
    const [coding, told] = typeof encoding === 'function' ? [undefined, encoding] : [encoding, callback];
    return runs ? upload.write(request, chunk, coding, told) : upload.writeLater(request, chunk, coding, told);
  }

  end(...args) {
    const { upload, request, runs } = this[COURSE];
    const [chunk, encoding, told] = args.length === 0 ? NOTHING : endArguments(args);
    if (upload.ended) upload.endAgain(request, runs, chunk, encoding, told);
    else if (runs) upload.end(request, chunk, encoding, told);
    else upload.endLater(chunk, encoding, told);
    return this;
  }

  flushHeaders() {
    const { upload, request } = this[COURSE];
    upload.flushHeaders(request);
  }

  setTimeout(msecs, callback) {
    // As in Node, nothing is noted any more when the response has ended.
    if (this._ended) return this;
    this[COURSE].change('setTimeout', [msecs]);
    if (callback) this.once('timeout', callback);
    return this;
  }

  abort() {
    this[COURSE].abort();
  }

  destroy(error) {
    this[COURSE].destroy(error);
    return this;
  }

  get aborted() {
    return this[COURSE].aborted;
  }

  get destroyed() {
    return this[COURSE].destroyed;
  }

  get closed() {
    return this[COURSE].closed;
  }

  get _closed() {
    return this[COURSE].closed;
  }

  get finished() {
    return this[COURSE].upload.ended;
  }

  get writableEnded() {
    return this[COURSE].upload.ended;
  }

  get writableFinished() {
    const { upload, request, runs } = this[COURSE];
    return upload.finished || (upload.ended && runs && request.writableFinished);
  }

  get writableNeedDrain() {
    return this[COURSE].upload.needsDrain && !this.destroyed;
  }
}

const NOTHING = [undefined, undefined, undefined];

/** The callback may stand in every place. */
function endArguments([first, second, third]) {
  if (typeof first === 'function') return [undefined, undefined, first];
  return typeof second === 'function' ? [first, undefined, second] : [first, second, third];
}

// Only the prototype: the class goes on being constructed as a Stream.
Object.setPrototypeOf(ResilientRequest.prototype, ClientRequest.prototype);

for (const method of CHANGES) {
  // `setHeaders` is not in every release; `setTimeout` is above.
  if (!(method in ClientRequest.prototype) || Object.hasOwn(ResilientRequest.prototype, method)) continue;
  Object.defineProperty(ResilientRequest.prototype, method, {
    configurable: true,
    writable: true,
    value(...args) {
      const course = this[COURSE];
      const returned = course.change(method, args);
      return returned === course.request ? this : returned;
    },
  });
}

mirror(
  ResilientRequest.prototype,
  (facade) => facade[COURSE]?.request,
  (facade, field, value) => facade[COURSE].assign(field, value),
);

module.exports = { ResilientRequest };

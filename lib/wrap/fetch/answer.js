'use strict';

/**
 * The answer, as its caller gets it: the client's own object, which tells what it took to get it. And its body, which may
 * still break while it is read; then the error that the reader gets tells so too.
 *
 * Nothing is put between body and reader, because that would cost more than all else here and lose the identity of the
 * body. Node's web streams have a promise of their end, made for `stream.finished`, that is settled before whoever reads is
 * told; what it is rejected with is the very error that every reader gets. A Node stream tells monitors first. node-fetch
 * makes errors of its own for those who read through the response, so there the methods that read are watched.
 */

const { errorMonitor } = require('node:events');
const { classify } = require('../../fault');
const { isStream } = require('../../fetch/brands');
const { withRecovery } = require('../../policy/recovery');
const { watchSilence } = require('./silence');
const { isNodeStream } = require('./streams');

const IS_CLOSED = Symbol.for('nodejs.webstream.isClosedPromise');

/** Those of the standard, and of node-fetch. */
const READERS = ['arrayBuffer', 'blob', 'buffer', 'bytes', 'formData', 'json', 'text', 'textConverted'];

class Answer {
  #call;
  /** One object, on the response and on the error that its body may break with. */
  #recovery;
  #signal;
  #limits;
  #silence;
  #isBroken = false;

  /**
   * @param {import('../../policy/call').PolicyCall} call
   * @param {AbortSignal | undefined} signal the caller's
   * @param {import('./time-limits').TimeLimits} [limits]
   * @param {number} [silence] how long the body may be silent, in ms
   */
  constructor(call, signal, limits, silence = Infinity) {
    this.#call = call;
    this.#recovery = call.recovery;
    this.#signal = signal;
    this.#limits = limits;
    this.#silence = silence;
  }

  /**
   * @param {unknown} response whatever the client answered: a mock's may be anything
   * @returns {unknown} the same
   */
  of(response) {
    if (typeof response !== 'object' || response === null) {
      this.#end();
      return response;
    }
    this.#describe(response);
    this.#follow(response, response.body);
    return response;
  }

  /** Not enumerable: `toEqual` and the like see what the client made. Nor a getter: to define one takes three times as long. */
  #describe(response) {
    define(response, 'recovery', this.#recovery);
    if (typeof response.clone !== 'function') return;
    const clone = response.clone.bind(response);
    define(response, 'clone', () => this.#twin(response, clone));
  }

  #twin(response, clone) {
    const { body } = response;
    const twin = clone();
    if (isNodeStream(body)) tellBranches(body, [response.body, twin.body]);
    this.#describe(twin);
    this.#follow(twin, twin.body);
    if (this.#silence !== Infinity) watchSilence(response.body, this.#silence, this.#limits);
    return twin;
  }

  /** What is given to the body must not keep the response: undici ends a body that nobody can read any more. */
  #follow(response, body) {
    if (isStream(body) && body[IS_CLOSED] !== undefined) {
      const onEnd = this.#limits && (() => this.#end());
      body[IS_CLOSED].promise.then(onEnd, (error) => this.#broke(error));
    } else if (isNodeStream(body)) {
      body.on(errorMonitor, (error) => this.#broke(error));
      if (this.#limits !== undefined) body.once('close', () => this.#end());
      this.#watchReaders(response);
    } else if (isStream(body)) {
      // Of a polyfill.
      this.#watchReaders(response);
    } else {
      this.#end();
    }
    if (this.#silence !== Infinity) watchSilence(body, this.#silence, this.#limits);
  }

  /** Errors that a method makes of what broke the body: the property hides the method of the same name. */
  #watchReaders(response) {
    const failed = (error) => {
      throw this.#readingFailed(error);
    };
    for (const name of READERS) {
      const read = response[name];
      // Whatever promises the client makes, they stay of that class.
      if (typeof read === 'function') define(response, name, (...args) => read.apply(response, args).then(undefined, failed));
    }
  }

  #readingFailed(error) {
    if (this.#limits?.fault !== undefined) return withRecovery(this.#limits.error, this.#recovery);
    if (this.#isBroken) return this.#isCallersOwn(error) ? error : withRecovery(error, this.#recovery);
    // A body that came whole and is no JSON has not broken.
    return isBreak(classify(error, IN_BODY)) ? this.#broke(error) : error;
  }

  #broke(error) {
    this.#end();
    if (this.#isBroken) return error;
    this.#isBroken = true;
    const fault = this.#limits?.fault ?? classify(error, { ...IN_BODY, signal: this.#signal });
    this.#call.broke(fault);
    Object.assign(this.#recovery, this.#call.recovery);
    return this.#isCallersOwn(error) ? error : withRecovery(error, this.#recovery);
  }

  /** The reason of the caller's signal is the same for all its calls. */
  #isCallersOwn(error) {
    return this.#signal?.aborted === true && error === this.#signal.reason;
  }

  #end() {
    this.#limits?.release();
  }
}

const IN_BODY = Object.freeze({ phase: 'receive', delivery: 'answered' });

function isBreak({ kind }) {
  return kind !== 'unknown' && kind !== 'client';
}

function define(response, name, value) {
  // One that is frozen stays as it is.
  Reflect.defineProperty(response, name, { value, enumerable: false, writable: true, configurable: true });
}

/**
 * node-fetch pipes a body into two, and `pipe` passes on no errors: without this a body that breaks leaves one branch waiting
 * for ever and ends the process with the other.
 */
function tellBranches(body, branches) {
  const [first, second] = branches;
  const fail = (error) => branches.forEach((branch) => branch.destroy(error));
  if (body !== first) body.on('error', fail);
  first.on('error', (error) => second.destroy(error));
}

module.exports = { Answer };

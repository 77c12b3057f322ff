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
const { describe } = require('./face');
const { watchSilence } = require('./silence');
const { isNodeStream } = require('../streams');

const IS_CLOSED = Symbol.for('nodejs.webstream.isClosedPromise');

class Answer {
  #call;
  #signal;
  #limits;
  #silence;
  /** One object, on the response and on the error that its body may break with: made by the first who asks for it. */
  #recovery;
  #isBroken = false;

  /**
   * @param {import('../../policy/call').PolicyCall} call
   * @param {AbortSignal | undefined} signal the caller's
   * @param {import('./time-limits').TimeLimits} [limits]
   * @param {number} [silence] how long the body may be silent, in ms
   */
  constructor(call, signal, limits, silence = Infinity) {
    this.#call = call;
    this.#signal = signal;
    this.#limits = limits;
    this.#silence = silence;
  }

  get recovery() {
    return (this.#recovery ??= this.#call.recovery);
  }

  /**
   * @param {unknown} response whatever the client answered: a mock's may be anything
   * @returns {unknown} the same
   */
  of(response) {
    if (typeof response === 'object' && response !== null) this.#accompany(response);
    else this.#end();
    return response;
  }

  /** `make` clones the response, which may replace its body. */
  twin(response, make) {
    const { body } = response;
    const twin = make();
    if (isNodeStream(body)) tellBranches(body, [response.body, twin.body]);
    this.#accompany(twin);
    if (this.#silence !== Infinity) watchSilence(response.body, this.#silence, this.#limits);
    return twin;
  }

  /** @throws what a method that reads the body is to reject with, where the client would have it reject with `error` */
  readingFailed(error) {
    throw this.#asTold(error);
  }

  /** What is given to the body must not keep the response: undici ends a body that nobody can read any more. */
  #accompany(response) {
    const { body } = response;
    const isWeb = isStream(body);
    const tellsItsEnd = isWeb && body[IS_CLOSED] !== undefined;
    const isNode = !isWeb && isNodeStream(body);
    // Those without: of a polyfill.
    describe(response, this, isNode || (isWeb && !tellsItsEnd));
    if (tellsItsEnd) {
      const onEnd = this.#limits && (() => this.#end());
      body[IS_CLOSED].promise.then(onEnd, (error) => this.#broke(error));
    } else if (isNode) {
      body.on(errorMonitor, (error) => this.#broke(error));
      if (this.#limits !== undefined) body.once('close', () => this.#end());
    } else if (!isWeb) {
      this.#end();
    }
    if (this.#silence !== Infinity) watchSilence(body, this.#silence, this.#limits);
  }

  #asTold(error) {
    if (this.#limits?.fault !== undefined) return withRecovery(this.#limits.error, this.recovery);
    if (this.#isBroken) return this.#isCallersOwn(error) ? error : withRecovery(error, this.recovery);
    // A body that came whole and is no JSON has not broken.
    return isBreak(classify(error, IN_BODY)) ? this.#broke(error) : error;
  }

  #broke(error) {
    this.#end();
    if (this.#isBroken) return error;
    this.#isBroken = true;
    const fault = this.#limits?.fault ?? classify(error, { ...IN_BODY, signal: this.#signal });
    const { recovery } = this;
    this.#call.broke(fault);
    Object.assign(recovery, this.#call.recovery);
    return this.#isCallersOwn(error) ? error : withRecovery(error, recovery);
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

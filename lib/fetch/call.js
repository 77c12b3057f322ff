'use strict';

/**
 * One call of fetch, from the promise that was returned to the last byte of its body.
 *
 * Native code drives it through the `on...` methods (see `lib/engine/engine.js`); none of them throws.
 */

const { AsyncResource } = require('node:async_hooks');
const engine = require('../engine/engine');
const { SHOULD_RETRY, ON_RETRY } = require('../engine/call-flags');
const { DONE } = require('../engine/completion');
const { CallFailure, toThrow } = require('../errors');
const { unwatch } = require('../abort');
const { hasIntegrity } = require('./integrity');
const { Incoming } = require('./incoming');
const { CLEAN_RECOVERY } = require('./recovery');

/**
 * Loaded by the first answer: to extend the global `Response` starts the built-in fetch, which takes longer than
 * all of this package.
 */
let UnresetResponse;

class Call {
  constructor(client, method, url, resolve, reject) {
    this.id = 0;
    /** Whose call it is. @type {import('./client').Client} */
    this.client = client;
    this.method = method;
    this.url = url;
    this.resolve = resolve;
    this.reject = reject;
    /** The digests that the body must have: see `integrity.js`. */
    this.integrity = '';
    /** Kept by the engine: whether the process stays alive for this call. */
    this.waiting = false;
    /** @type {AbortSignal | undefined} */
    this.signal = undefined;
    /** @type {import('./upload').Upload | undefined} */
    this.upload = undefined;
    /** @type {Hooks | undefined} */
    this.hooks = undefined;
    /** Where somebody listens. @type {import('./observer').Observer | undefined} */
    this.observer = undefined;
    /** What it took so far, as JSON: known in full when the body has ended. */
    this.recovery = CLEAN_RECOVERY;
    /** The head has arrived. */
    this.isAnswered = false;
    /** Who waits for body bytes. */
    this.reading = undefined;
    /**
     * The stream of the body, to be ended by an abort: held weakly, because the call must not keep it.
     *
     * @type {WeakRef<ReadableByteStreamController> | undefined}
     */
    this.streaming = undefined;
    /** Why there is no more to read: `{ error }`. */
    this.ended = undefined;
  }

  onHead(flags, status, head, recovery, body) {
    if (recovery !== undefined) this.recovery = recovery;
    this.isAnswered = true;
    this.observer?.onAnswer(JSON.parse(this.recovery));
    const complete = (flags & DONE) !== 0;
    UnresetResponse ??= require('./response').UnresetResponse;
    const answer = { flags, status, head, url: this.url, recovery: this.recovery, body: null };
    if (!hasNullBody(status, this.method)) answer.body = complete ? (body ?? '') : new Incoming(this);
    const response = new UnresetResponse(answer);
    if (complete) this.#settle();
    else if (answer.body === null) this.cancel();
    else this.stopWaiting();
    const { resolve, reject } = this.#promised();
    if (this.integrity === '') resolve(response);
    else this.#verified(response, answer).then(resolve, reject);
  }

  /** The response once all of its body is there and found to be the one that was asked for. */
  async #verified(response, answer) {
    const bytes = await response.bytes();
    if (!hasIntegrity(this.integrity, bytes)) {
      const source = new Error(`integrity mismatch: the body is not what ${JSON.stringify(this.integrity)} asks for`);
      source.code = 'ERR_INTEGRITY_MISMATCH';
      throw new CallFailure('fetch failed', JSON.parse(this.recovery), { source });
    }
    return new UnresetResponse(answer.body === null ? answer : { ...answer, recovery: this.recovery, body: bytes });
  }

  onFailed({ source, fault, recovery }) {
    this.observer?.onFailed(recovery, fault);
    this.#settle();
    const { reject } = this.#promised();
    if (source === 'hook') reject(this.hooks.thrown);
    else if (source === 'body') reject(new CallFailure('fetch failed', recovery, { source: this.upload.failure?.error }));
    else reject(this.#failure(isBadInput(fault) ? `input: ${fault.reason}` : 'fetch failed', recovery, fault));
  }

  onChunk(flags, bytes, recovery) {
    if (recovery !== undefined) this.recovery = recovery;
    const done = (flags & DONE) !== 0;
    if (done) this.#tellOfResumed();
    const { reading } = this;
    this.reading = undefined;
    if (done) this.#settle();
    else this.stopWaiting();
    reading?.resolve({ bytes, done });
  }

  onBroken({ source, fault, recovery }) {
    if (recovery) this.recovery = JSON.stringify(recovery);
    this.observer?.onFailed(JSON.parse(this.recovery));
    const failure = this.#failure('terminated', JSON.parse(this.recovery), fault);
    this.#end(source === 'hook' ? this.hooks.thrown : failure);
  }

  onHook(isShouldRetry, event) {
    this.hooks.run(isShouldRetry, event).then((answer) => engine.nativeEngine().answerHook(this.id, answer));
  }

  /** Ends the call at once, with the reason of the caller's signal or whatever else ends it. */
  abort(reason) {
    engine.cancel(this);
    this.fail(reason);
    this.streaming?.deref()?.error(toThrow(reason, this.abort));
  }

  /** Lets the process end, unless somebody waits for the body or the request is still being sent. */
  stopWaiting() {
    if (this.reading === undefined && !this.upload?.isReading) engine.stopWaiting(this);
  }

  /** Ends the call from this side: its input is wrong, or the caller does not want it any more. */
  fail(error) {
    this.#end(error);
    this.#promised().reject(error);
  }

  /** Ends the call because nobody wants the rest of it. */
  cancel() {
    engine.cancel(this);
    this.#settle();
  }

  /**
   * Body bytes: what has gathered (`piece`), or everything.
   *
   * @returns {Promise<{ bytes: Uint8Array | undefined, done: boolean }>}
   */
  readBody(piece) {
    if (this.ended !== undefined) return Promise.reject(this.ended.error);
    return new Promise((resolve, reject) => {
      this.reading = { resolve, reject };
      engine.startWaiting(this);
      const native = engine.nativeEngine();
      const asked = piece ? native.read(this.id) : native.collect(this.id);
      // Whoever asks has neither cancelled nor read to the end. It must not look like an end.
      if (!asked) this.onBroken({ fault: LOST_BODY });
    });
  }

  #tellOfResumed() {
    if (this.observer === undefined) return;
    const recovery = JSON.parse(this.recovery);
    if (recovery.resumed > 0) this.observer.onResumed(recovery);
  }

  /**
   * The functions that settle the promise, taken once: they keep the promise alive and with it the response,
   * which has to be collectable when nobody reads it.
   */
  #promised() {
    const { resolve, reject } = this;
    this.resolve = nothing;
    this.reject = nothing;
    return { resolve, reject };
  }

  #failure(message, recovery, fault) {
    return new CallFailure(message, recovery, { fault, source: this.client.lookups?.errorBehind(fault) });
  }

  #end(error) {
    this.ended ??= { error };
    this.observer?.onAborted();
    // A failure that has not become an error yet is nothing to give to the caller's source as a reason.
    this.#settle(error instanceof CallFailure ? undefined : error);
    const { reading } = this;
    this.reading = undefined;
    reading?.reject(error);
  }

  /** Native code has finished with this call: nothing of it stays behind. */
  #settle(reason) {
    engine.forget(this);
    this.upload?.end(reason);
    if (this.signal !== undefined) unwatch(this.signal, this);
    this.signal = undefined;
  }
}

const LOST_BODY = Object.freeze({
  code: 'ERR_UNRESET_INTERNAL',
  kind: 'unknown',
  phase: 'receive',
  delivery: 'answered',
  transient: false,
  reconnect: false,
  reason: 'The rest of the response body is not there any more. This is a mistake in unreset; please report it.',
});

/**
 * The URL was at fault, and nothing was sent: the message says so itself, as for any other wrong argument. A blocked port
 * is none: there the built-in fetch says "fetch failed", and why in the cause. Nor is a `lookup` that gave no address.
 */
function isBadInput(fault) {
  return fault.kind === 'client' && fault.delivery === 'not-sent' && fault.code !== 'ERR_BAD_PORT' && fault.phase !== 'resolve';
}

/** Statuses that never have a body (Fetch standard, "null body status"). */
function hasNullBody(status, method) {
  return method === 'HEAD' || status === 204 || status === 205 || status === 304 || (status >= 100 && status < 200);
}

function nothing() {}

/** The caller's hooks, run in the caller's async context, and the observer, who hears of a retry beside them. */
class Hooks {
  /**
   * @param {{ shouldRetry?: Function, onRetry?: Function }} retry
   * @param {import('./observer').Observer} [observer]
   * @param {(event: import('../..').ResumeEvent) => void} [onResume] see `transfer.js`
   */
  constructor({ shouldRetry, onRetry }, observer, onResume) {
    this.shouldRetry = shouldRetry;
    this.onRetry = onRetry;
    this.observer = observer;
    this.onResume = onResume;
    this.resource = observer ?? new AsyncResource('UNRESET_HOOK');
    /** What a hook threw: the call is rejected with it. */
    this.thrown = undefined;
  }

  /** The flags of a call that has them. */
  get flags() {
    return (this.shouldRetry ? SHOULD_RETRY : 0) | (this.onRetry || this.observer || this.onResume ? ON_RETRY : 0);
  }

  /** @returns {Promise<number>} as `answer_hook` in `src/node/engine.rs` takes it */
  async run(isShouldRetry, event) {
    try {
      return isShouldRetry ? await this.#ask(event) : await this.#notify(event);
    } catch (error) {
      this.thrown = error;
      return -2;
    }
  }

  async #ask({ fault, attempt, method, url, elapsed }) {
    const context = { attempt, method, url, elapsed };
    const answer = await this.resource.runInAsyncScope(this.shouldRetry, undefined, fault, context);
    if (answer === undefined || answer === null) return -1;
    if (typeof answer === 'boolean') return answer ? 1 : 0;
    throw new TypeError(`retry.shouldRetry must return true, false or undefined, not ${typeof answer}`);
  }

  async #notify({ attempt, delay, fault, url, method, why, offset }) {
    const goesOn = offset !== null;
    if (this.onRetry !== undefined) {
      const event = { attempt, delay, fault, url, method };
      if (goesOn) event.offset = offset;
      await this.resource.runInAsyncScope(this.onRetry, undefined, event);
    }
    if (goesOn) await this.onResume?.({ offset, fault, delay });
    this.observer?.onRetry({ attempt, delay, fault, why });
    return -1;
  }
}

module.exports = { Call, Hooks };

'use strict';

/**
 * `resumable(open)`: a stream over any source that can be opened at an offset. The source knows how; this knows when, and
 * that nothing is handed on twice or left out.
 */

const { unlessAborted } = require('../abort');
const { FaultError } = require('../errors');
const { classify } = require('../fault');
const { faultOfCode } = require('../fault/of-code');
const { PolicyCall } = require('../policy/call');
const { withRecovery } = require('../policy/recovery');
const { ByteStream } = require('./byte-stream');
const { parseResumable } = require('./options');
const { openSource } = require('./source');

/** So much must come, in bytes or as a hundredth of the whole if that is less, for attempts to count anew; as in native calls. */
const RENEWS = 64 * 1024;

class Resumable extends ByteStream {
  #open;
  #timeouts;
  /** Aborts when the stream is destroyed: nothing is waited for any longer. */
  #ended = new AbortController();
  #call;
  #validator;
  /** What is read from now. @type {import('./source').Source | undefined} */
  #source;
  /** Bytes of it have come. */
  #hasBegun = false;
  /** Ends the opening, and what came of it. */
  #opening;
  /** Bytes that the source brings once more before it comes to what is new. */
  #toSkip = 0;
  #lastFault;
  #resumed = 0;
  #refetched = 0;
  /** Of the byte at which attempts last counted anew. */
  #renewedAt = 0;

  /** @param {ReturnType<typeof parseResumable>} options */
  constructor({ open, policy, signal, highWaterMark, timeouts, length, validator }) {
    super({ highWaterMark });
    this.#open = open;
    this.#timeouts = timeouts;
    this.#validator = validator;
    this.total = length;
    const { onRetry } = policy.retry;
    const told = { ...policy.retry, onRetry: async (event) => {
      await onRetry?.({ ...event, offset: this.bytes });
      if (!this.destroyed) this.emit('resume', { offset: this.bytes, fault: event.fault, delay: event.delay });
    } };
    this.#call = new PolicyCall(policy.under(told), { surface: 'resumable', origin: '', declared: true }, { signal: this.#ended.signal });
    const refused = this.#call.begin();
    if (refused !== undefined) this.destroy(withRecovery(new FaultError(refused), this.recovery));
    this._watch(signal);
  }

  /** What it took so far. */
  get recovery() {
    return { ...this.#call.recovery, resumed: this.#resumed, bytesRefetched: this.#refetched };
  }

  async _next() {
    for (;;) {
      try {
        if (await this.#advance()) return;
      } catch (error) {
        if (this.destroyed || !(await this.#mayGoOn(error))) return;
      }
    }
  }

  /** @returns {Promise<boolean>} whether something was handed on, or nothing more will be */
  async #advance() {
    this.#source ??= await this.#openSource();
    if (this.destroyed) return true;
    const bytes = await this.#within(this.#timeouts.idle, 'receive', this.#source.read());
    if (this.destroyed) return true;
    if (bytes !== undefined) return this.#take(bytes);
    this.#checkEnd();
    this.#end();
    return true;
  }

  #end() {
    this.#call.answered();
    this.push(null);
  }

  async #openSource() {
    this.#opening = new AbortController();
    const { signal } = this.#opening;
    const context = { offset: this.bytes, validator: this.#validator, signal, attempt: this.#call.attempt, lastFault: this.#lastFault };
    const source = await this.#within(this.#timeouts.open, 'connect', this.#opened(context));
    if (this.destroyed) {
      source.cancel();
      return source;
    }
    this.#identify(source);
    if (this.bytes > 0) this.#resumed += 1;
    return source;
  }

  /** What `open` comes to too late, when nobody waits for it any more, is closed. */
  async #opened(context) {
    const open = this.#open;
    const source = openSource(await open(context));
    if (context.signal.aborted) source.cancel(context.signal.reason);
    return source;
  }

  /** The source says what it is: the first time that is noted, and from then on it must be the same. */
  #identify(source) {
    const { offset = this.bytes, validator, length } = source;
    this.#source = source;
    this.#toSkip = this.bytes - offset;
    const isOther = (known, said) => known !== undefined && known !== null && said !== undefined && known !== said;
    if (this.#toSkip < 0) {
      throw faultError('ERR_RESUME_RANGE', `Byte ${this.bytes} was asked for, and the source begins at ${offset}.`);
    }
    if (isOther(this.#validator, validator) || isOther(this.total, length)) {
      throw faultError('ERR_RESUME_CHANGED', 'The source has another version now than the one that the first bytes are of.');
    }
    this.#validator ??= validator;
    this.total = length;
  }

  /** @returns {boolean} whether something of it was handed on */
  #take(bytes) {
    this.#hasBegun = true;
    const again = Math.min(this.#toSkip, bytes.byteLength);
    this.#toSkip -= again;
    this.#refetched += again;
    const fresh = bytes.subarray(again);
    if (fresh.byteLength === 0) return false;
    if (this.total !== null && this.bytes + fresh.byteLength > this.total) {
      throw faultError('ERR_RESUME_RANGE', `The source brings more than the ${this.total} bytes that there are.`);
    }
    this._give(fresh);
    return true;
  }

  #checkEnd() {
    const isWhole = this.total === null ? this.#toSkip === 0 : this.bytes === this.total;
    if (isWhole) return;
    const whole = this.total === null ? 'what came before' : `${this.total} bytes`;
    throw faultError('ECONNRESET', `The source ended after ${this.bytes} of ${whole}.`, { ending: 'fin', phase: 'receive', delivery: 'answered' });
  }

  /** @returns {Promise<boolean>} whether the source is to be opened once more, now */
  async #mayGoOn(error) {
    const known = this.#hasBegun ? { phase: 'receive', delivery: 'answered' } : {};
    this.#lastFault = classify(error, known);
    this.#close(error);
    if (this.#lastFault.transient && this.#hasAll) {
      this.#end();
      return false;
    }
    if (this.#renews()) this.#call.progressed();
    let failure = error;
    try {
      if (await this.#call.failed(this.#lastFault)) return !this.destroyed;
    } catch (thrown) {
      // By a hook: that is what it ends with.
      failure = thrown;
    }
    if (!this.destroyed) this.destroy(this.#told(failure));
    return false;
  }

  /** Behind the last byte there is nothing to open: a server answers that with 416. */
  get #hasAll() {
    return this.bytes > 0 && this.bytes === this.total;
  }

  #renews() {
    const enough = this.total === null ? RENEWS : Math.min(Math.max(Math.floor(this.total / 100), 1), RENEWS);
    const renews = this.bytes - this.#renewedAt >= enough;
    if (renews) this.#renewedAt = this.bytes;
    return renews;
  }

  #told(error) {
    const told = typeof error === 'object' && error !== null ? error : faultError('UNKNOWN', `The source failed with ${String(error)}.`);
    Reflect.defineProperty(told, 'offset', { value: this.bytes, enumerable: true, writable: true, configurable: true });
    return withRecovery(told, this.recovery);
  }

  /** @template T @param {Promise<T>} work @returns {Promise<T>} */
  async #within(limit, phase, work) {
    let timer;
    const late = new Promise((resolve, reject) => {
      if (limit === Infinity) return;
      const waited = phase === 'receive' ? 'brought nothing' : 'did not open';
      const fault = { phase, delivery: phase === 'receive' ? 'answered' : 'unknown' };
      timer = setTimeout(() => reject(faultError('ETIMEDOUT', `The source ${waited} for ${limit} ms.`, fault)), limit);
    });
    try {
      return await unlessAborted(Promise.race([work, late]), this.#ended.signal);
    } finally {
      clearTimeout(timer);
    }
  }

  #close(reason) {
    const source = this.#source;
    this.#source = undefined;
    this.#hasBegun = false;
    this.#opening?.abort(reason);
    source?.cancel(reason);
  }

  _destroy(error, callback) {
    this.#ended.abort();
    this.#close(error ?? new DOMException('The stream was destroyed', 'AbortError'));
    super._destroy(error, callback);
  }
}

function faultError(code, reason, known) {
  return new FaultError(faultOfCode(code, { reason, ...known }));
}

/**
 * @param {import('../..').OpenSource} open
 * @param {import('../..').ResumableOptions} [options]
 * @returns {import('../..').ResumableStream}
 * @throws {TypeError | RangeError} which name the option and what is accepted
 */
function resumable(open, options) {
  return new Resumable(parseResumable(open, options));
}

module.exports = { resumable };

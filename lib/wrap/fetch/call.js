'use strict';

/**
 * One call of a wrapped fetch: attempts by the client, decisions by the policy.
 *
 * What a call that succeeds needs is on this page. What a failure needs is elsewhere, and made by the failure.
 */

const { classify } = require('../../fault');
const { faultOfCode } = require('../../fault/of-code');
const { withRecovery } = require('../../policy/recovery');
const { Answer } = require('./answer');
const { discard } = require('../discard');
const { aborted } = require('./failures');
const { asOfFirstHop } = require('../first-hop');
const { TimeLimits } = require('./time-limits');

/** A server that answers so has not acted on the request. On the one before a redirect it may have. */
const TOO_EARLY = 425;

class WrappedCall {
  #inner;
  #call;
  #request;
  #body;
  #policy;
  #limits;
  #describe;

  /**
   * @param {Function} inner
   * @param {import('./options').ClientOptions['describe']} describe
   * @param {import('../../policy/policy').Policy} policy
   * @param {import('./options').ClientOptions['limits'] | undefined} limits where there are any
   * @param {import('./request').ReadRequest} request
   * @param {import('./body').SentBody | undefined} body where the request cannot be given to the client again as it is
   * @param {import('../../policy/call').PolicyCall} call
   */
  constructor(inner, describe, policy, limits, request, body, call) {
    this.#inner = inner;
    this.#call = call;
    this.#request = request;
    this.#body = body;
    this.#policy = policy;
    this.#limits = limits;
    this.#describe = describe;
  }

  /** @returns {Promise<unknown>} what the client answered at last */
  async run() {
    for (;;) {
      const limits = this.#limits && new TimeLimits(this.#request.signal);
      let response;
      try {
        response = await this.#attempt(limits);
      } catch (thrown) {
        limits?.release();
        await this.#afterError(limits?.error ?? thrown, limits?.fault);
        continue;
      }
      if (!this.#isJudged(response)) this.#call.answered();
      else if (await this.#isPassedOver(response, limits)) continue;
      this.#body?.release();
      return new Answer(this.#call, this.#request.signal, limits, this.#limits?.body).of(response);
    }
  }

  #attempt(limits) {
    const { input, init } = this.#request;
    if (this.#body === undefined && limits === undefined) return this.#ask(input, init);
    if (limits === undefined) return this.#attemptWith(undefined);
    // What opens the body takes time as well.
    return limits.run(() => this.#attemptWith(limits.signal), this.#limits, this.#call.left, (late) => discard(late?.body));
  }

  async #attemptWith(signal) {
    const { input: given, init: givenInit } = this.#request;
    const [input, init] = this.#body === undefined ? [given, givenInit] : await this.#body.open();
    return this.#ask(input, signal === undefined ? init : { ...init, signal });
  }

  /** With as many arguments as the caller gave: mocks are asked what they were called with. */
  #ask(input, init) {
    return init === undefined ? this.#inner.call(undefined, input) : this.#inner.call(undefined, input, init);
  }

  /** Returns when there is to be another attempt. */
  async #afterError(error, known) {
    this.#body?.suspend();
    try {
      const fault = known ?? await this.#faultOf(error);
      if (await this.#isRepeated(fault)) return;
      throw await this.#finalError(error, fault);
    } catch (final) {
      this.#body?.cancel(final);
      throw final;
    }
  }

  async #finalError(error, fault) {
    const { recovery } = this.#call;
    if (recovery.gaveUp === 'aborted' && fault.kind !== 'aborted') return this.#aborted({ error });
    return this.#isCallersOwn(error) ? error : this.#describe(error, fault, recovery);
  }

  /** Whether there is to be another attempt in place of this response. */
  async #isPassedOver(response, limits) {
    this.#body?.suspend();
    try {
      const { status, headers = {} } = response;
      const isRepeated = await this.#isRepeated(classify({ status, headers }));
      if (!isRepeated && this.#call.recovery.gaveUp === 'aborted') throw await this.#aborted({ response });
      if (!isRepeated) return false;
    } catch (final) {
      this.#body?.cancel(final);
      await this.#discard(response, limits);
      throw final;
    }
    await this.#discard(response, limits);
    return true;
  }

  async #discard(response, limits) {
    await discard(response.body);
    limits?.release();
  }

  #isRepeated(fault) {
    return this.#call.failed(fault, { bodyReplays: this.#body?.isWhole ?? true });
  }

  #isJudged(response) {
    const status = response?.status;
    if (typeof status !== 'number' || (status === TOO_EARLY && response.redirected === true)) return false;
    return this.#policy.judges(status);
  }

  async #faultOf(error) {
    // The caller's own source failed: the network is not at fault, whatever code the error has.
    if (this.#body?.hasFailed) return faultOfCode('ERR_BODY_SOURCE_FAILED');
    return asOfFirstHop(classify(error, { signal: this.#request.signal }), error, this.#request);
  }

  /** What the client rejects with when it is aborted. */
  async #aborted(last) {
    const error = await aborted(this.#inner, this.#request, last);
    return this.#isCallersOwn(error) ? error : withRecovery(error, this.#call.recovery);
  }

  /** The reason of the caller's signal is the same for all its calls, and nothing is put on it. */
  #isCallersOwn(error) {
    const { signal } = this.#request;
    return signal !== undefined && signal.aborted && error === signal.reason;
  }
}

module.exports = { WrappedCall };

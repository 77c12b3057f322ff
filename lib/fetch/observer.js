'use strict';

/**
 * Tells of a call of ours what `PolicyCall` tells of the calls of other clients. Made only for a call that somebody
 * listens to when it begins.
 *
 * Native code makes the attempts, and answers arrive on the event loop in nobody's context: what is told here runs in the
 * context of whoever made the call.
 */

const { AsyncResource } = require('node:async_hooks');
const { tell } = require('../policy/events');

class Observer extends AsyncResource {
  #hub;
  #request;
  #origin;

  /**
   * @param {import('../policy/events').Hub} hub
   * @param {{ method: string, url: string }} request
   */
  constructor(hub, request) {
    super('UNRESET_EVENTS');
    this.#hub = hub;
    this.#request = request;
  }

  /** An attempt failed and there will be another one. */
  onRetry({ attempt, delay, fault, why }) {
    this.#tell('attempt', { attempt, fault });
    this.#tell('retry', { attempt, delay, fault, why });
  }

  /** The head of the answer has arrived. `gaveUp` there: it was taken for want of a better one. */
  onAnswer(recovery) {
    if (recovery.gaveUp !== undefined) {
      this.onFailed(recovery);
      return;
    }
    this.#tell('attempt', { attempt: recovery.attempts.length, fault: null });
    if (recovery.attempts.length > 1) this.#tell('recovered', { recovery });
  }

  /** A body that had broken has arrived whole. */
  onResumed(recovery) {
    this.#tell('recovered', { recovery });
  }

  /**
   * There is no answer, or not all of its body.
   *
   * @param {import('../..').Recovery} recovery
   * @param {import('../..').Fault} [ofCall] what the call failed with, where no attempt was made: the breaker refused
   */
  onFailed(recovery, ofCall) {
    const { attempts, gaveUp } = recovery;
    const ofAttempt = attempts.at(-1)?.fault;
    const fault = ofAttempt ?? ofCall;
    if (ofAttempt) this.#tell('attempt', { attempt: attempts.length, fault });
    if (gaveUp !== undefined && gaveUp !== 'aborted') this.#tell('gave-up', { fault, gaveUp, recovery });
  }

  #tell(name, message) {
    const { method, url } = this.#request;
    // A URL that is none is what the call failed with.
    this.#origin ??= URL.canParse(url) ? new URL(url).origin : '';
    this.runInAsyncScope(tell, undefined, this.#hub, name, { surface: 'fetch', origin: this.#origin, method, url, ...message });
  }
}

module.exports = { Observer };

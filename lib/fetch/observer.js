'use strict';

/**
 * Tells of a call of ours what `PolicyCall` tells of the calls of other clients. Made only for a call that somebody
 * listens to when it begins.
 *
 * Native code makes the attempts, and answers arrive on the event loop in nobody's context: what is told here runs in the
 * context of whoever made the call.
 */

const { AsyncResource } = require('node:async_hooks');
const { withoutCredentials } = require('../credentials');
const { tell } = require('../policy/events');

class Observer extends AsyncResource {
  #hub;
  #request;
  #origin;
  /** The number of the latest attempt after which there was to be another one. */
  #repeated = 0;
  #isOver = false;

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
    // The hook that was asked before may have taken longer than the call.
    if (this.#isOver) return;
    this.#tell('attempt', { attempt, fault });
    this.#tell('retry', { attempt, delay, fault, why });
    this.#repeated = attempt;
  }

  /** The head of the answer has arrived. `gaveUp` there: it was taken for want of a better one. */
  onAnswer(recovery) {
    const { attempts, gaveUp } = recovery;
    // A body may be known to be broken as soon as its head; that is told when it breaks.
    if (gaveUp !== undefined && gaveUp !== 'not-resumable') {
      this.onFailed(recovery);
      return;
    }
    this.#tellAttempt(null, attempts);
    if (attempts.length > 1) this.#tell('recovered', { recovery: asOfHead(recovery) });
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
    if (this.#isOver) return;
    const { attempts, gaveUp } = recovery;
    const ofAttempt = attempts.at(-1)?.fault;
    if (ofAttempt) this.#tellAttempt(ofAttempt, attempts);
    this.#isOver = true;
    if (gaveUp !== undefined && gaveUp !== 'aborted') this.#tell('gave-up', { fault: ofAttempt ?? ofCall, gaveUp, recovery });
  }

  /** The caller ended the call: no more is told of it. */
  onAborted() {
    this.#isOver = true;
  }

  #tellAttempt(fault, { length }) {
    const attempt = length < TOLD_AT_MOST ? length : Math.max(length, this.#repeated + 1);
    // Time may run out, or the breaker refuse, before the next one is made.
    if (attempt > this.#repeated) this.#tell('attempt', { attempt, fault });
  }

  #tell(name, message) {
    const { method } = this.#request;
    const url = withoutCredentials(this.#request.url);
    // A URL that is none is what the call failed with.
    this.#origin ??= URL.canParse(url) ? new URL(url).origin : '';
    this.runInAsyncScope(tell, undefined, this.#hub, name, { surface: 'fetch', origin: this.#origin, method, url, ...message });
  }
}

/** Of a call that goes on for ever `recovery` has the latest so many attempts (`src/http/attempts.rs`). */
const TOLD_AT_MOST = 100;

/** What it took until the head arrived. */
function asOfHead({ attempts, resumed, bytesRefetched }) {
  return { attempts: [...attempts.slice(0, -1), { ...attempts.at(-1), fault: null }], resumed, bytesRefetched };
}

module.exports = { Observer };

'use strict';

/**
 * `close` and `destroy` of a fetch that has connections of its own.
 *
 * Native code knows when nothing of a client is on the network any more. Here it is only asked to say so, and calls
 * that come too late, or are in the way, are told why they fail.
 */

const { asyncDispose } = require('../async-dispose');
const engine = require('../engine/engine');
const { CallFailure, FaultError } = require('../errors');
const { faultOfCode } = require('../fault/of-code');

class Ending {
  #client;
  /** @type {Promise<void> | undefined} */
  #done;

  /** @param {import('./client').Client} client */
  constructor(client) {
    this.#client = client;
  }

  /** Lets the calls in flight end. @returns {Promise<void>} when they have, and no connection is open */
  close() {
    this.#done ??= closed(this.#client.shut(() => refusal('UND_ERR_CLOSED')));
    return this.#done;
  }

  /** Ends the calls in flight. @returns {Promise<void>} when nothing of them is left */
  destroy(reason) {
    const done = this.close();
    this.#client.shut(() => refusal('UND_ERR_DESTROYED'));
    for (const call of engine.callsOf(this.#client)) call.abort(reason ?? destroyed(call));
    return done;
  }
}

/**
 * Gives a fetch its ends.
 *
 * @param {typeof import('../..').fetch} fetch
 * @param {import('./client').Client} client
 * @returns {import('../..').FetchClient}
 */
function withEnding(fetch, client) {
  const ending = new Ending(client);
  const close = () => ending.close();
  return Object.assign(fetch, { close, destroy: (reason) => ending.destroy(reason), [asyncDispose]: close });
}

/** Resolves when native code has closed all of a client. One that was never used has nothing to close. */
async function closed(nativeClient) {
  if (nativeClient === undefined) return;
  await new Promise((resolve, reject) => {
    const closing = new Closing(resolve, reject);
    engine.open(closing);
    try {
      nativeClient.close(closing.id);
    } catch (error) {
      closing.abort(error);
      return;
    }
    // Somebody waits for it, and calls that nobody waits for may be in flight.
    engine.startWaiting(closing);
  });
}

/** An entry among the calls, until native code says that it is done. */
class Closing {
  constructor(resolve, reject) {
    this.id = 0;
    this.waiting = false;
    this.resolve = resolve;
    this.reject = reject;
  }

  onClosed() {
    engine.forget(this);
    this.resolve();
  }

  /** Native code itself failed. */
  onFailed({ fault }) {
    this.abort(new FaultError(fault));
  }

  abort(error) {
    engine.forget(this);
    this.reject(error);
  }
}

/** Why a call cannot begin. */
function refusal(code) {
  return new CallFailure('fetch failed', { attempts: [], resumed: 0, bytesRefetched: 0, gaveUp: 'aborted' }, { fault: faultOfCode(code) });
}

/** Why a call that was in flight has ended. */
function destroyed(call) {
  const { isAnswered } = call;
  const recovery = { ...JSON.parse(call.recovery), gaveUp: 'aborted' };
  // How many attempts a call without an answer has made is known to native code alone.
  if (!isAnswered) recovery.attempts = [];
  const fault = faultOfCode('UND_ERR_DESTROYED', isAnswered ? { phase: 'receive', delivery: 'answered' } : {});
  return new CallFailure(isAnswered ? 'terminated' : 'fetch failed', recovery, { fault });
}

module.exports = { withEnding, refusal };

'use strict';

/** What it took to get an answer, as it is told on results and errors of clients that are not ours. */

/**
 * Puts `recovery` on what a client resolved or rejected with. Its class and identity stay, so `instanceof` and checks of
 * its own code go on working.
 *
 * @template T
 * @param {T} outcome anything: a value that cannot take the property is left as it is, since a program may throw a
 *   string or a frozen error, and what it threw is what it has to get
 * @param {import('../..').Recovery} recovery
 * @returns {T}
 */
function withRecovery(outcome, recovery) {
  if ((typeof outcome !== 'object' || outcome === null) && typeof outcome !== 'function') return outcome;
  // `Reflect` tells instead of throwing, also for a Proxy that refuses; one that has been revoked throws nevertheless.
  try {
    // To assign is the same where there is no property of the name, and takes a seventh of the time.
    if (!('recovery' in outcome) && Object.isExtensible(outcome)) {
      outcome.recovery = recovery;
      return outcome;
    }
    Reflect.defineProperty(outcome, 'recovery', {
      value: recovery, enumerable: true, writable: true, configurable: true,
    });
  } catch {
    // Nothing can be put on it.
  }
  return outcome;
}

/** @returns {import('../..').Recovery} of a call whose first attempt was answered */
function cleanRecovery() {
  return recoveryOf(ANSWERED_AT_ONCE);
}

/** Nearly all are: so it is one for all, and not to be changed. */
const ANSWERED_AT_ONCE = Object.freeze([Object.freeze({ fault: null, delay: 0 })]);

/**
 * @param {import('../..').Attempt[]} attempts
 * @param {import('../..').GaveUp} [gaveUp]
 * @returns {import('../..').Recovery}
 */
function recoveryOf(attempts, gaveUp) {
  const recovery = { attempts, resumed: 0, bytesRefetched: 0 };
  if (gaveUp !== undefined) recovery.gaveUp = gaveUp;
  return recovery;
}

module.exports = { withRecovery, cleanRecovery, recoveryOf };

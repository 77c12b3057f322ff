'use strict';

/**
 * What is told of the calls under a policy, from every surface alike: to the listeners of the policy, to the channels
 * `unreset:*` of `node:diagnostics_channel`, which need no policy in hand, and with `NODE_DEBUG=unreset` to stderr.
 *
 * Nobody listens to most calls. So whoever tells asks {@link isObserved} first, which reads a few properties, and
 * makes the message only then.
 */

const { EventEmitter } = require('node:events');
const { channel } = require('node:diagnostics_channel');
const { debuglog } = require('node:util');

const { Tally } = require('./tally');

/** Each is `unreset:<name>` as a channel and `<name>` as an event. */
const CHANNELS = Object.freeze({
  attempt: channel('unreset:attempt'),
  retry: channel('unreset:retry'),
  recovered: channel('unreset:recovered'),
  'gave-up': channel('unreset:gave-up'),
  breaker: channel('unreset:breaker'),
});
const NAMES = Object.freeze(Object.keys(CHANNELS));

const debug = debuglog('unreset');

/** The listeners of a policy, shared by all that is made from it. */
class Hub extends EventEmitter {
  /** Of the calls under the policy. */
  tally = new Tally();

  /**
   * Tells of breakers that have opened or closed since it was last asked.
   *
   * @param {import('../native').NativePolicy} policy of those that share these listeners
   */
  tellOfBreakers(policy) {
    const changes = policy.takeChanges();
    if (changes === null) return;
    for (const change of JSON.parse(changes)) tell(this, 'breaker', change);
  }
}

/**
 * @param {Hub} hub
 * @param {string} name of the event
 * @returns {boolean} whether anybody would be told
 */
function isObserved(hub, name) {
  return CHANNELS[name].hasSubscribers || hub.listenerCount(name) > 0 || debug.enabled;
}

/** @param {Hub} hub */
function isAnythingObserved(hub) {
  return NAMES.some((name) => isObserved(hub, name));
}

/**
 * @param {Hub} hub
 * @param {string} name
 * @param {object} message what every listener gets; theirs to read, not to change
 */
function tell(hub, name, message) {
  if (debug.enabled) debug(IN_WORDS[name](message));
  for (const listener of hub.rawListeners(name)) callListener(listener, hub, message);
  CHANNELS[name].publish(message);
}

/**
 * What a listener throws is nobody's answer: it must neither end the call nor keep the next listener from being told.
 * As in `diagnostics_channel`, it becomes an uncaught exception.
 */
function callListener(listener, hub, message) {
  try {
    listener.call(hub, message);
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}

const IN_WORDS = {
  attempt: ({ attempt, fault, ...call }) => `${shown(call)}: attempt ${attempt} ${fault ? failedWith(fault) : 'was answered'}`,
  retry: ({ attempt, delay, fault, why, ...call }) =>
    `${shown(call)}: attempt ${attempt} ${failedWith(fault)}; again in ${delay} ms (${why})`,
  recovered: ({ recovery, ...call }) => `${shown(call)}: recovered, ${recovery.attempts.length} attempts`,
  'gave-up': ({ fault, gaveUp, ...call }) => `${shown(call)}: gave up (${gaveUp}), ${failedWith(fault)}`,
  breaker: ({ origin, from, to }) => `${origin}: breaker ${from} -> ${to}`,
};

function shown({ surface, method, url, origin }) {
  return [surface, method, url ?? origin].filter(Boolean).join(' ');
}

function failedWith({ code, phase, delivery }) {
  return `failed with ${code} (${phase}, ${delivery})`;
}

module.exports = { Hub, NAMES, isObserved, isAnythingObserved, tell };

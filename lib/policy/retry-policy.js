'use strict';

/**
 * The policy as a program holds it. An axios instance, a fetch and a database client that speak to one server and are given
 * one policy have one budget and one breaker for it, and one place that tells what happened.
 */

const { checkFunction, invalidType, invalidValue } = require('../validate');
const { NAMES } = require('./events');
const { parseRetryOptions } = require('./options');
const { Policy } = require('./policy');

const ACCEPTED = 'false, a number of retries, an object, or what createPolicy returned';

/** Gives what is behind a {@link RetryPolicy}; `undefined` for anything else. */
let policyBehind;

class RetryPolicy {
  #policy;

  /** @param {Policy} policy */
  constructor(policy) {
    this.#policy = policy;
  }

  static {
    policyBehind = (value) => (typeof value === 'object' && value !== null && #policy in value ? value.#policy : undefined);
  }

  /** The same origins, breakers and listeners under options that are laid over these. */
  with(options) {
    return new RetryPolicy(policyOf(options, 'options', this.#policy));
  }

  on(event, listener) {
    this.#policy.hub.on(checkEvent(event), checkFunction(listener, 'listener'));
    return this;
  }

  once(event, listener) {
    this.#policy.hub.once(checkEvent(event), checkFunction(listener, 'listener'));
    return this;
  }

  off(event, listener) {
    this.#policy.hub.off(checkEvent(event), checkFunction(listener, 'listener'));
    return this;
  }

  /** What the calls to each origin came to. */
  stats() {
    return this.#policy.stats();
  }
}

/**
 * @param {import('../..').RetryOptions | number | false} [options]
 * @returns {RetryPolicy}
 * @throws {TypeError | RangeError} on an option that is unknown or out of range; the message names it
 */
function createPolicy(options) {
  if (policyBehind(options) !== undefined) {
    throw invalidValue('options', 'options of a policy; for one that shares the origins of another there is its with()', options);
  }
  return new RetryPolicy(new Policy(parseRetryOptions(options, 'options')));
}

/**
 * Reads a `retry` option, which every surface of this package takes in the same form.
 *
 * @param {unknown} value `undefined` is `under`, or the defaults
 * @param {string} [name] what the caller calls it
 * @param {Policy} [under] what options are laid over: the client's, for those of a call
 * @returns {Policy} `under` itself where nothing is given
 * @throws {TypeError | RangeError} which name the option and what is accepted
 */
function policyOf(value, name = 'retry', under = undefined) {
  const given = policyBehind(value);
  if (given !== undefined) return given;
  if (isForeign(value)) throw invalidType(name, `${ACCEPTED}, by this copy of unreset`, value);
  if (under === undefined) return new Policy(parseRetryOptions(value, name));
  return under.under(parseRetryOptions(value, name, under.retry));
}

/** Whether it is what `createPolicy` returns, here or elsewhere. */
function isPolicy(value) {
  return policyBehind(value) !== undefined || isForeign(value);
}

/**
 * The same for a call of a client whose policy stands: options only.
 *
 * @param {unknown} value
 * @param {string} name
 * @param {import('./options').RetryOptions} [under]
 */
function retryOptionsOf(value, name, under) {
  if (isPolicy(value)) {
    throw invalidValue(name, 'false, a number of retries, or an object, for a single call: a policy belongs to the client', value);
  }
  return parseRetryOptions(value, name, under);
}

/** Made by another copy of the package, or in another Jest realm: nothing can be shared with it. */
function isForeign(value) {
  return value?.constructor?.name === RetryPolicy.name && typeof value.stats === 'function';
}

function checkEvent(event) {
  if (!NAMES.includes(event)) throw invalidValue('event', `one of ${NAMES.join(', ')}`, event);
  return event;
}

module.exports = { createPolicy, isPolicy, policyOf, retryOptionsOf };

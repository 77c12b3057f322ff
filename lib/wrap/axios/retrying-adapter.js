'use strict';

/**
 * The adapter that a wrapped instance puts into the config of each call.
 *
 * This is the place for retries in axios: around it are interceptors and transforms, which a caller expects to run once
 * for each call; below it is what can fail.
 */

const { ATTEMPT } = require('./attempt-config');
const { makeCall } = require('./call');

/** On our adapters: what they call. */
const INNER = Symbol('the adapter below that of wrapAxios');

/** As axios's own defaults have it. */
const NAMES = Object.freeze(['xhr', 'http', 'fetch']);

class RetryingAdapter {
  #client;
  #settings;
  #adapters;
  #errors;
  /** For calls that name no adapter: whatever the defaults have when it is called, a mock of a test for example. */
  #ofDefaults;

  /**
   * @param {object} client the given instance
   * @param {import('./options').Settings} settings
   * @param {import('./adapters').Adapters} adapters
   * @param {import('./client-errors').ClientErrors} errors
   */
  constructor(client, settings, adapters, errors) {
    this.#client = client;
    this.#settings = settings;
    this.#adapters = adapters;
    this.#errors = errors;
    this.#ofDefaults = this.#around(() => client.defaults.adapter);
  }

  /**
   * The config of a call that is to be retried.
   *
   * @param {object} [config] the caller's; it stays as it is
   */
  configOf(config) {
    // A mock passes a request on by calling an instance with what it got: that is a part of our attempt.
    if (config?.[ATTEMPT]) return config;
    const given = config?.adapter;
    if (given === undefined || given === this.#ofDefaults) return { ...config, adapter: this.#ofDefaults };
    return { ...config, adapter: this.#around(() => given) };
  }

  #around(below) {
    const adapter = (config) => callOrReject({
      config,
      adapter: innermost(below()) ?? NAMES,
      client: this.#client,
      settings: this.#settings,
      adapters: this.#adapters,
      errors: this.#errors,
    });
    adapter[INNER] = below;
    return adapter;
  }
}

/** An adapter rejects. Not an async function: that would be one more promise to wait for in every call. */
function callOrReject(job) {
  try {
    return makeCall(job);
  } catch (error) {
    return Promise.reject(error);
  }
}

/**
 * An interceptor that makes a failed call anew, `instance(error.config)`, hands in an adapter of ours, also one of another
 * wrapped instance. Whose instance is called, it is that one's retries, and nobody else's below them.
 */
function innermost(adapter) {
  if (adapter?.[INNER] === undefined) return adapter;
  let found = adapter;
  const seen = new Set();
  while (found?.[INNER] !== undefined) {
    // Somebody made ours the default below ours.
    if (seen.has(found)) return undefined;
    seen.add(found);
    found = found[INNER]();
  }
  return found;
}

module.exports = { RetryingAdapter };

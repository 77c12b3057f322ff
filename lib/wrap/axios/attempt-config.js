'use strict';

/**
 * The config that adapters get, equal for every attempt.
 *
 * Adapters write into it: axios's own complete the headers, axios-mock-adapter deletes `adapter`, people's own rewrite
 * the URL. A second attempt with what the first one has left would be another request. It has to be the same object
 * nevertheless, since interceptors put marks on it and look for them in `error.config`. So its content is noted before
 * the first attempt, and put back before each further one.
 *
 * axios makes a config that V8 is slow to read: a copy takes 6 us, a note of its keys and values 2.3, and every call would
 * pay it. The adapters of axios's own write to nothing but the headers, so with them no more than those is noted.
 */

/** On the config of a running attempt: a call that somebody makes with it, such as a mock's `passThrough`, is part of it. */
const ATTEMPT = Symbol('an attempt of wrapAxios');

/**
 * @param {object} config as axios hands it to its adapter
 * @param {boolean} isOfAxios whether an adapter of axios's own makes the attempts
 * @returns {AttemptConfig | HeadersOnly}
 */
function attemptConfigOf(config, isOfAxios) {
  return isOfAxios ? new HeadersOnly(config) : new AttemptConfig(config);
}

/** For adapters of which nothing is known. */
class AttemptConfig {
  #config;
  #keys;
  #values;
  #headers;
  #begun = false;
  #altered;

  /** @param {object} config as axios hands it to its adapter */
  constructor(config) {
    this.#config = config;
    const keys = Object.keys(config);
    const values = new Array(keys.length);
    for (let at = 0; at < keys.length; at += 1) values[at] = config[keys[at]];
    this.#keys = keys;
    this.#values = values;
    this.#headers = copyOf(config.headers);
  }

  /**
   * @param {{ data?: unknown, signal?: AbortSignal }} [altered] what the attempt gets in place of the caller's
   * @returns {object} the config, for the next attempt
   */
  begin(altered) {
    const config = this.#config;
    if (this.#begun) this.#restore();
    this.#begun = true;
    config[ATTEMPT] = true;
    this.#altered = altered;
    return altered === undefined ? config : Object.assign(config, altered);
  }

  /** The call is over: its config is as plain axios would leave it. */
  end() {
    const config = this.#config;
    delete config[ATTEMPT];
    // Another call with it, as interceptors make it, is to be retried as well.
    this.#put('adapter');
    for (const key of Object.keys(this.#altered ?? {})) this.#put(key);
  }

  /** What the adapter gave refers to the config that the call was made with, and not to a copy of an attempt. */
  adopt(outcome) {
    // `Reflect`, which does not throw for what somebody has frozen.
    if (outcome?.config?.[ATTEMPT] && outcome.config !== this.#config) Reflect.set(outcome, 'config', this.#config);
  }

  #put(key) {
    const at = this.#keys.indexOf(key);
    if (at === -1) delete this.#config[key];
    else if (this.#config[key] !== this.#values[at]) this.#config[key] = this.#values[at];
  }

  #restore() {
    const config = this.#config;
    for (const key of Object.keys(config)) {
      if (!this.#keys.includes(key)) delete config[key];
    }
    this.#keys.forEach((key, at) => {
      config[key] = this.#values[at];
    });
    config.headers = copyOf(this.#headers);
  }
}

/** For those that write to the headers only, and of which nobody hears with what config they run. */
class HeadersOnly {
  #config;
  #headers;
  #begun = false;
  /** What was altered, as it was. @type {{ key: string, isThere: boolean, value: unknown }[] | undefined} */
  #given;

  constructor(config) {
    this.#config = config;
    this.#headers = copyOf(config.headers);
  }

  begin(altered) {
    const config = this.#config;
    if (this.#begun) config.headers = copyOf(this.#headers);
    this.#begun = true;
    if (altered === undefined) return config;
    this.#given ??= Object.keys(altered).map((key) => ({ key, isThere: Object.hasOwn(config, key), value: config[key] }));
    return Object.assign(config, altered);
  }

  end() {
    for (const { key, isThere, value } of this.#given ?? []) {
      if (isThere) this.#config[key] = value;
      else delete this.#config[key];
    }
  }

  /** It refers to the one config there is. */
  adopt() {}
}

/** Own properties only, as `AxiosHeaders` keeps them: its constructor compares every name with every other. */
function copyOf(headers) {
  return Object.assign(Object.create(Object.getPrototypeOf(headers)), headers);
}

module.exports = { ATTEMPT, attemptConfigOf };

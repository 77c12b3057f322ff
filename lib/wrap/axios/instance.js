'use strict';

/** The face of a wrapped instance: callable where the given one is, with its methods, statics, defaults and interceptors. */

/** On every wrapped instance, so that a second wrapper, also of another copy of this package, can tell. */
const WRAPPED = Symbol.for('unreset.wrapAxios');

/** The methods that make a call, and where among its arguments each takes the config. A test compares them with axios's. */
const CONFIG_AT = Object.freeze({
  get: 1, delete: 1, head: 1, options: 1, post: 2, put: 2, patch: 2, query: 2, postForm: 2, putForm: 2, patchForm: 2,
});

/**
 * @template T
 * @param {T} client
 * @param {import('./retrying-adapter').RetryingAdapter} adapter
 * @param {(created: T) => T} wrap for what `create` makes
 * @returns {T}
 */
function instanceLike(client, adapter, wrap) {
  const wrapped = typeof client === 'function' ? callableLike(client, adapter, wrap) : objectLike(client, adapter);
  return Object.defineProperty(wrapped, WRAPPED, { value: true });
}

/** The default export, or what `axios.create` makes: a function with everything else as its own properties. */
function callableLike(client, adapter, wrap) {
  const request = requestOf(client, adapter);
  const wrapped = Object.assign((configOrUrl, config) => request(configOrUrl, config), client);
  wrapped.request = request;
  for (const [name, at] of Object.entries(CONFIG_AT)) {
    if (typeof client[name] === 'function') wrapped[name] = verbOf(client, adapter, name, at);
  }
  if (typeof client.create === 'function') wrapped.create = (config) => wrap(client.create(config));
  // `import axios from` a CommonJS module reads this.
  if (client.default === client) wrapped.default = wrapped;
  return wrapped;
}

/** A `new Axios()`, or an instance of a class that extends it: its methods call `this.request`. */
function objectLike(client, adapter) {
  return Object.create(client, {
    request: { value: requestOf(client, adapter), writable: true, configurable: true, enumerable: false },
  });
}

function requestOf(client, adapter) {
  return function request(configOrUrl, config) {
    // axios writes the URL into the config it is given with one; here that is a copy.
    if (typeof configOrUrl === 'string') return client.request(configOrUrl, adapter.configOf(config));
    return client.request(adapter.configOf(configOrUrl));
  };
}

/** The client's method is looked up at each call: somebody may have put a spy in its place. */
function verbOf(client, adapter, name, at) {
  return (...args) => {
    args[at] = adapter.configOf(args[at]);
    return client[name](...args);
  };
}

module.exports = { WRAPPED, CONFIG_AT, instanceLike };

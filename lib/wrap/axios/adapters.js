'use strict';

/**
 * Calling the adapter that a config names.
 *
 * axios's own adapters have names (`'http'`, `['xhr', 'http', 'fetch']`), and only the default export can look them up:
 * instances of `axios.create` cannot. Where the module that made an instance is found, that one is asked. Where it is not,
 * a sibling of the instance makes the exchange: correct as well, but it merges the config a second time (about 20 us).
 */

/** The package as npm installs it, and as a bundle of its own is called. */
const AXIOS_FILE = /[\\/]axios(?:[\\/.]|@)[^]*\.[cm]?js$/;

/** The module found for each class that the instances of one axios share. A program may make an instance per call. */
const modules = new WeakMap();

class Adapters {
  #client;
  #sibling;

  constructor(client) {
    this.#client = client;
    // Now, so that the search is over when the first call is made.
    moduleOf(client);
  }

  /**
   * One exchange.
   *
   * @param {unknown} adapter as `config.adapter` or `defaults.adapter` has it
   * @param {object} config
   * @returns {Promise<object>} rejects, or throws, as the adapter does, or as axios does where there is no such adapter
   */
  run(adapter, config) {
    const run = this.#find(adapter, config);
    return run === undefined ? this.#runBySibling(adapter, config) : run(config);
  }

  /** Whether it is one of axios's own, called by us: names mean these. */
  isOfAxios(adapter) {
    return typeof adapter !== 'function' && moduleOf(this.#client) !== undefined;
  }

  /** Whether axios's own http adapter is meant. */
  isHttp(adapter, config) {
    try {
      return this.#find(adapter, config)?.adapterName === 'http';
    } catch {
      return false;
    }
  }

  /** @returns {Function | undefined} `undefined` where only a sibling can tell */
  #find(adapter, config) {
    return typeof adapter === 'function' ? adapter : moduleOf(this.#client)?.getAdapter(adapter, config);
  }

  /** The transforms have been applied already, and will be: here they would be applied twice. */
  #runBySibling(adapter, config) {
    this.#sibling ??= siblingOf(this.#client);
    return this.#sibling.request({ ...config, adapter, transformRequest: [], transformResponse: [] });
  }
}

/** The default export of the axios that made an instance, as far as it has been found. */
function moduleOf(client) {
  if (typeof client.getAdapter === 'function') return client;
  const shared = sharedClass(client);
  if (!modules.has(shared)) {
    modules.set(shared, lookAmongCommonJsModules(client));
    if (modules.get(shared) === undefined) lookAmongEsModules(client);
  }
  return modules.get(shared);
}

function lookAmongCommonJsModules(client) {
  for (const [file, module] of Object.entries(require.cache ?? {})) {
    // By name first: to touch the exports of every module of a program would run getters of strangers.
    if (AXIOS_FILE.test(file) && hasMade(module?.exports, client)) return module.exports;
  }
  return undefined;
}

/**
 * What `import axios from 'axios'` gives is another than that of `require`, and in no cache that can be looked into. It has
 * been loaded, so to import it here only gives a reference to it, if our `axios` is theirs.
 */
function lookAmongEsModules(client) {
  import(/* webpackIgnore: true */ 'axios').then(({ default: candidate }) => {
    if (hasMade(candidate, client)) modules.set(sharedClass(client), candidate);
  }, () => {});
}

/** Two copies of axios have different classes: so what they make can be told apart. */
function hasMade(candidate, client) {
  return typeof candidate?.getAdapter === 'function'
    && candidate.interceptors?.request !== undefined && sharedClass(candidate) === sharedClass(client);
}

function sharedClass(client) {
  return client.interceptors.request.constructor;
}

/** An instance of the same axios, with no interceptors and no defaults: its calls hold what it is asked for, no more. */
function siblingOf(client) {
  if (typeof client.create === 'function') {
    const sibling = client.create();
    for (const key of Object.keys(sibling.defaults)) delete sibling.defaults[key];
    return sibling;
  }
  const InterceptorManager = sharedClass(client);
  return Object.create(client, {
    defaults: { value: {} },
    interceptors: { value: { request: new InterceptorManager(), response: new InterceptorManager() } },
  });
}

module.exports = { Adapters, siblingOf };

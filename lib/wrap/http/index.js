'use strict';

/**
 * `wrapHttp`: Node's `http` or `https` once more, with requests that are retried.
 *
 * Programs and libraries take these modules as they are: they call `request` in any of its forms, hold the
 * `ClientRequest`, listen to its events. So what comes back is the same module to them, and the retrying is inside
 * of the request (`request.js`). The module that was handed over makes every attempt, so that a mock or an
 * instrumentation in its place sees them all; nothing of it is changed.
 */

const { policyOf } = require('../../policy');
const { checkOnRequest } = require('../../policy/on-request');
const { checkOptions, invalidType, invalidValue } = require('../../validate');
const { parseArguments } = require('./arguments');
const { Client } = require('./client');
const { ResilientRequest } = require('./request');

const KEYS = Object.freeze(['retry', 'onRequest']);

/** What was returned by {@link wrapHttp}: a retry around a retry would multiply the attempts. */
const wrappedModules = new WeakSet();

/**
 * @template {object} T
 * @param {T} module `http`, `https`, or what has their `request`
 * @param {import('../../..').WrapHttpOptions} [options]
 * @returns {T} the module, in which `request` and `get` retry
 * @throws {TypeError | RangeError} on what is no such module, one that is wrapped already, or an option that is
 *   unknown or out of range; the message names it
 *
 * @example
 * const http = wrapHttp(require('http'));
 * http.get('http://inventory/stock/42', (res) => res.pipe(process.stdout)).on('error', console.error);
 */
function wrapHttp(module, options = {}) {
  if (typeof module?.request !== 'function') {
    throw invalidType('module', 'http or https, or a module with their request()', module);
  }
  if (wrappedModules.has(module)) {
    throw invalidValue('module', 'one that is not wrapped yet: its requests are retried already', module);
  }
  const { retry, onRequest } = checkOptions(options, 'options', KEYS);
  const client = new Client(module, policyOf(retry, 'options.retry'), checkOnRequest(onRequest, 'options.onRequest'));
  const wrapped = facadeOf(module, client);
  wrappedModules.add(wrapped);
  return wrapped;
}

function facadeOf(module, client) {
  const facade = {};
  for (const name of Object.keys(module)) {
    // Of `import * as http`: it is the module itself, that is, without retries.
    if (name !== 'default') passThrough(facade, module, name);
  }
  const request = (url, options, callback) => new ResilientRequest(client, parseArguments(url, options, callback));
  const get = (url, options, callback) => request(url, options, callback).end();
  return Object.defineProperties(facade, {
    request: { value: request, enumerable: true, configurable: true, writable: true },
    get: { value: get, enumerable: true, configurable: true, writable: true },
    globalAgent: {
      enumerable: true,
      configurable: true,
      get: () => client.globalAgent,
      set(agent) {
        client.ownGlobalAgent = agent;
      },
    },
  });
}

/** Reads what the module has at that time; writes beside it, never into it. */
function passThrough(facade, module, name) {
  Object.defineProperty(facade, name, {
    enumerable: true,
    configurable: true,
    get: () => module[name],
    set(value) {
      Object.defineProperty(facade, name, { value, enumerable: true, configurable: true, writable: true });
    },
  });
}

module.exports = { wrapHttp };

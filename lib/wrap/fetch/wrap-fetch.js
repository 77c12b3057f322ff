'use strict';

/** `wrapFetch`: the fetch that a program has, under our policy. */

const { invalidArgument, invalidType } = require('../../validate');
const { brand, isBranded } = require('./brand');
const { parseWrapOptions } = require('./options');

const ACCEPTED = 'a function that is called like fetch';

/**
 * @param {Function} inner the built-in fetch, that of undici, node-fetch, cross-fetch, or a mock
 * @param {import('../../..').WrapFetchOptions} [options]
 * @returns {Function} called like `inner`; its own enumerable properties are those of `inner`
 * @throws {TypeError | RangeError} which name what is wrong with the function or an option
 *
 * @example
 * const fetch = wrapFetch(require('node-fetch'), { retry: { retries: 5 } });
 */
function wrapFetch(inner, options) {
  // Loaded here, and the streams of Node with it: most programs have no fetch to wrap.
  const { WrappedClient } = require('./client');
  const client = new WrappedClient(checkFetch(inner), parseWrapOptions(options));
  function fetch(input, init) {
    return client.fetch(input, init);
  }
  return brand(withPropertiesOf(inner, fetch));
}

function checkFetch(inner) {
  if (typeof inner !== 'function') throw invalidType('fetch', ACCEPTED + instead(inner), inner);
  if (isBranded(inner)) {
    throw invalidArgument('fetch must be one that does not retry: this one is wrapped already, or is of unreset itself.');
  }
  return inner;
}

/** A module in place of what it exports is the usual mistake. */
function instead(given) {
  const has = (name) => typeof given?.[name] === 'function';
  if (has('default')) return ': this is a module, whose default export is one';
  return has('fetch') ? ': this object has one as its property fetch' : '';
}

/**
 * `fetch.Headers`, `fetch.isRedirect`, and what is set: node-fetch 2 reads `fetch.Promise` from its own function. Where the
 * client names itself, as `fetch.default`, the wrapper is meant.
 */
function withPropertiesOf(inner, fetch) {
  for (const name of Object.keys(inner)) {
    Object.defineProperty(fetch, name, {
      get: () => (inner[name] === inner ? fetch : inner[name]),
      set(value) {
        inner[name] = value;
      },
      enumerable: true,
      configurable: true,
    });
  }
  return fetch;
}

module.exports = { wrapFetch };

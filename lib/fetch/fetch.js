'use strict';

/** `fetch` and `createFetch`. */

const { toThrow } = require('../errors');
const { brand } = require('../wrap/fetch/brand');
const { Client } = require('./client');
const { withEnding } = require('./ending');
const { parseClientOptions } = require('./options');

/** Whose calls a fetch makes. @type {WeakMap<Function, Client>} */
const clients = new WeakMap();

/**
 * Makes a fetch with its own connections, retry policy and defaults.
 *
 * @param {import('../..').CreateFetchOptions} [options]
 * @returns {import('../..').FetchClient}
 */
function createFetch(options) {
  if (options?.fetch !== undefined) return require('../wrap/fetch/engine').createFetchOn(options);
  const client = new Client(parseClientOptions(options));
  async function fetch(input, init) {
    try {
      return await client.fetch(input, init);
    } catch (failure) {
      throw toThrow(failure, fetch);
    }
  }
  clients.set(fetch, client);
  return brand(withEnding(fetch, client));
}

/** Made by the first call, for the same reason as its native half. */
let shared;

/**
 * The fetch that survives resets: as the built-in one, with options of our own in `init` besides.
 *
 * @type {typeof import('../..').fetch}
 */
async function fetch(input, init) {
  try {
    return await sharedClient().fetch(input, init);
  } catch (failure) {
    throw toThrow(failure, fetch);
  }
}

function sharedClient() {
  return (shared ??= new Client(parseClientOptions()));
}

/**
 * @param {unknown} candidate
 * @returns {Client | undefined} the client behind one of our own
 */
function clientOf(candidate) {
  return candidate === fetch ? sharedClient() : clients.get(candidate);
}

module.exports = { fetch: brand(fetch), createFetch, clientOf };

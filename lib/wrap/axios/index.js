'use strict';

/**
 * `wrapAxios`: an axios that a program has, under this package's classifier and retry policy.
 *
 * The wrapped instance makes no requests of its own. It hands each call to the instance it was given, with an adapter
 * of ours in the config of that one call. So axios does everything around it that it does anyway, once: interceptors,
 * defaults, transforms, cancellation. Our adapter calls theirs, as often as it takes. The given instance is never
 * written to, and what is added to either later, both have.
 */

const { policyOf } = require('../../policy');
const { checkOnRequest } = require('../../policy/on-request');
const { checkOptions, invalidArgument, invalidType } = require('../../validate');
const { ClientErrors } = require('./client-errors');
const { Adapters } = require('./adapters');
const { WRAPPED, instanceLike } = require('./instance');
const { parseTimeout } = require('./options');
const { RetryingAdapter } = require('./retrying-adapter');

const KEYS = Object.freeze(['retry', 'timeout', 'onRequest']);

/**
 * @template T
 * @param {T} axios the default export, an instance of `axios.create`, or a `new Axios()`; it stays as it is
 * @param {import('../../..').WrapAxiosOptions} [options]
 * @returns {T} an instance of the same kind
 * @throws {TypeError | RangeError} which name the argument or option and what is accepted
 *
 * @example
 * const axios = wrapAxios(require('axios'));
 * const { data, recovery } = await axios.get('https://api.example.com/prices');
 */
function wrapAxios(axios, options = {}) {
  const client = checkClient(axios);
  const { retry, timeout, onRequest } = checkOptions(options, 'options', KEYS);
  const settings = {
    policy: policyOf(retry, 'options.retry'),
    total: parseTimeout(timeout, 'options.timeout'),
    onRequest: checkOnRequest(onRequest, 'options.onRequest'),
  };
  return wrapped(client, settings);
}

function wrapped(client, settings) {
  const adapter = new RetryingAdapter(client, settings, new Adapters(client), new ClientErrors(client));
  return instanceLike(client, adapter, (created) => wrapped(created, settings));
}

function checkClient(axios) {
  const isClient = (typeof axios === 'function' || (typeof axios === 'object' && axios !== null))
    && typeof axios.request === 'function' && typeof axios.interceptors?.request?.use === 'function'
    && typeof axios.defaults === 'object' && axios.defaults !== null;
  if (!isClient) throw invalidType('axios', 'axios, or an instance of it', axios);
  // Each would repeat what the other has repeated already: 3 retries become 15.
  if (axios[WRAPPED]) throw invalidArgument('axios must be an instance that is not wrapped yet.');
  return axios;
}

module.exports = { wrapAxios };

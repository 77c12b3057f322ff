'use strict';

/**
 * What the policy is told of a request. Most calls succeed and nobody asks for more than the origin, so the rest is read
 * from the config when it is asked for.
 */

const { originOf } = require('../origin');

/** As axios tells an absolute URL from a relative one. */
const ABSOLUTE = /^(?:[a-z][a-z\d+\-.]*:)?\/\//i;

class AxiosRequest {
  #config;
  #client;

  /**
   * @param {object} config as the adapter gets it
   * @param {object} client its `getUri` knows how params are written
   */
  constructor(config, client) {
    this.#config = config;
    this.#client = client;
    this.surface = 'wrapAxios';
    this.origin = originOfConfig(config);
  }

  get method() {
    return String(this.#config.method ?? 'get').toUpperCase();
  }

  get url() {
    try {
      return this.#client.getUri(this.#config);
    } catch {
      // A serializer of the caller's threw: the attempt will tell.
      return String(this.#config.url);
    }
  }

  get idempotencyKey() {
    return Boolean(this.#config.headers.get('Idempotency-Key'));
  }
}

function originOfConfig({ url, baseURL, allowAbsoluteUrls, socketPath }) {
  // The server behind a socket is one, whatever host the URL names.
  if (socketPath) return `unix:${socketPath}`;
  const given = String(url ?? '');
  const isBased = baseURL && (!ABSOLUTE.test(given) || allowAbsoluteUrls === false);
  return originOf(isBased ? baseURL : given);
}

module.exports = { AxiosRequest };

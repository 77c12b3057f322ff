'use strict';

/**
 * What the policy is told of a request. Most calls succeed and nobody asks for more than the origin, so the rest is read
 * from the config when it is asked for.
 */

/** As axios tells an absolute URL from a relative one. */
const ABSOLUTE = /^(?:[a-z][a-z\d+\-.]*:)?\/\//i;
const AUTHORITY = /^[a-z][a-z\d+\-.]*:\/\/[^/?#\\]*/i;

/** To parse a URL takes longer than everything else here, and a program speaks to few origins. */
const origins = new Map();
const MOST_ORIGINS = 1000;

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
    this.origin = originOf(config);
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

/** `scheme://host[:port]`; '' where the URL has none or is not valid, of which axios will complain. */
function originOf({ url, baseURL, allowAbsoluteUrls, socketPath }) {
  // The server behind a socket is one, whatever host the URL names.
  if (socketPath) return `unix:${socketPath}`;
  const given = String(url ?? '');
  const isBased = baseURL && (!ABSOLUTE.test(given) || allowAbsoluteUrls === false);
  const authority = AUTHORITY.exec(isBased ? baseURL : given)?.[0];
  if (authority === undefined) return '';
  return origins.get(authority) ?? remembered(authority);
}

function remembered(authority) {
  const origin = URL.canParse(authority) ? new URL(authority).origin : '';
  if (origins.size >= MOST_ORIGINS) origins.clear();
  origins.set(authority, origin);
  return origin;
}

module.exports = { AxiosRequest };

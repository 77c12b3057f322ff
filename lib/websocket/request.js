'use strict';

/**
 * What is asked for in the handshake: the URL, the subprotocols and the headers. Each may be a function, which is asked anew
 * for every attempt: a token that has expired since, or a server that is to be found again, must not end what comes back
 * by itself.
 */

const { headerPairs } = require('../fetch/headers');
const { isUrl } = require('../fetch/brands');
const { invalidArgument, invalidType } = require('../validate');
const { parseProtocols, parseUrl } = require('./address');

/** What the handshake itself says. */
const OF_HANDSHAKE = /^(connection|upgrade|sec-websocket-)/;

class HandshakeRequest {
  #url;
  #protocols;
  #headers;
  #origin;
  #auth;

  /** What is not a function is checked at once. */
  constructor(url, protocols, { headers, origin, auth }) {
    this.#url = url;
    this.#protocols = protocols;
    this.#headers = headers;
    this.#origin = checkText(origin, 'options.origin');
    this.#auth = checkText(auth, 'options.auth');
    /** Known when the WebSocket is made, or the empty string. */
    this.url = typeof url === 'function' ? '' : parseUrl(url);
    if (typeof protocols !== 'function') this.#protocols = parseProtocols(protocols);
    if (typeof headers !== 'function') this.#headers = this.#withOwn(headers);
    /** JSON, if there is nothing to ask for. */
    this.json = [url, protocols, headers].some((part) => typeof part === 'function')
      ? undefined
      : JSON.stringify({ url: this.url, protocols: this.#protocols, headers: this.#headers });
  }

  /**
   * For one attempt.
   *
   * @param {{ attempt: number, fault?: import('../..').Fault }} context
   */
  async provide(context) {
    // One after the other: what finds the server may also find the token for it.
    const url = parseUrl(await provided(this.#url, context));
    const protocols = parseProtocols(await provided(this.#protocols, context));
    const given = await provided(this.#headers, context);
    const headers = typeof this.#headers === 'function' ? this.#withOwn(given) : given;
    return { url, protocols, headers };
  }

  #withOwn(init) {
    const headers = headerPairs(init, 'options.headers');
    const names = headers.map(([name]) => name);
    const wrong = names.find((name) => OF_HANDSHAKE.test(name));
    if (wrong !== undefined) {
      throw invalidArgument(`options.headers[${JSON.stringify(wrong)}] must be left out: it belongs to the handshake.`);
    }
    if (this.#origin !== undefined && !names.includes('origin')) headers.push(['origin', this.#origin]);
    if (this.#auth !== undefined && !names.includes('authorization')) {
      headers.push(['authorization', `Basic ${Buffer.from(this.#auth).toString('base64')}`]);
    }
    return headers;
  }
}

function provided(part, context) {
  return typeof part === 'function' ? part(context) : part;
}

function checkText(value, name) {
  if (value === undefined || typeof value === 'string') return value;
  if (isUrl(value)) return value.origin;
  throw invalidType(name, 'a string', typeof value);
}

module.exports = { HandshakeRequest };

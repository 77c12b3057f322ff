'use strict';

/**
 * Request headers on their way out, response headers on their way in.
 *
 * Both cross the boundary as lines of one string. A `Headers` object is made only when somebody looks at it.
 */

const { invalidSecret, invalidValue } = require('../validate');
const { TOKEN, TOKEN_CHARACTERS } = require('../token');

// What may stand in a value: visible latin1, space and tab (RFC 9110, section 5.5).
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Headers that belong to the connection, not to the request. Node's fetch refuses them as well: set by hand they
 * contradict how the body is really sent.
 */
const CONNECTION_HEADERS = new Set(['transfer-encoding', 'keep-alive', 'upgrade', 'expect']);

/** Header lines under way: `name\nvalue\n` for each. */
class HeaderLines {
  /** @param {string} [option] what the caller calls it, for messages */
  constructor(option = 'headers') {
    this.option = option;
    this.text = '';
    this.names = new Set();
    /** What the caller wrote as Content-Length, to be held against the body. */
    this.contentLength = undefined;
  }

  has(name) {
    return this.names.has(name);
  }

  /** @returns {[string, string][]} all but the length of the body */
  pairs() {
    const parts = this.text.split('\n');
    const pairs = [];
    for (let part = 0; part + 1 < parts.length; part += 2) pairs.push([parts[part], parts[part + 1]]);
    return pairs;
  }

  append(rawName, rawValue) {
    const name = String(rawName).toLowerCase();
    if (!TOKEN.test(name)) throw invalidValue(this.option, `named with ${TOKEN_CHARACTERS} only`, String(rawName));
    // Not `String`, which makes a text of a symbol too.
    const value = trim(`${rawValue}`);
    if (!VALUE.test(value)) throw invalidSecret(inHeaders(name, this.option), 'of latin1 characters other than control characters');
    if (CONNECTION_HEADERS.has(name)) throw invalidValue(inHeaders(name, this.option), 'left out: it belongs to the connection', value);
    if (name === 'connection' && !/^(close|keep-alive)$/i.test(value)) {
      throw invalidValue(inHeaders(name, this.option), '"close" or "keep-alive"', value);
    }
    if (name === 'content-length') {
      this.contentLength = value;
      return;
    }
    this.names.add(name);
    this.text += `${name}\n${value}\n`;
  }
}

/**
 * Reads a HeadersInit: a Headers object, pairs, or a record.
 *
 * @param {HeadersInit | undefined} init
 * @param {HeaderLines} lines
 */
function appendHeaders(init, lines) {
  if (init === undefined) return;
  if ((typeof init !== 'object' && typeof init !== 'function') || init === null) {
    throw invalidSecret(lines.option, 'a Headers object, an array of [name, value] pairs or an object');
  }
  if (typeof init[Symbol.iterator] === 'function') {
    for (const pair of init) {
      const entry = Array.isArray(pair) || typeof pair !== 'object' ? pair : [...pair];
      if (typeof entry !== 'object' || entry.length !== 2) throw invalidSecret(lines.option, 'pairs of a name and a value');
      lines.append(entry[0], entry[1]);
    }
    return;
  }
  for (const name of Object.keys(init)) lines.append(name, init[name]);
}

/**
 * @param {HeadersInit | undefined} init
 * @param {string} [option] what the caller calls it, for messages
 * @returns {[string, string][]}
 */
function headerPairs(init, option) {
  const lines = new HeaderLines(option);
  appendHeaders(init, lines);
  return lines.pairs();
}

/**
 * The head of a response as it crossed: status text, URL, then the header lines.
 */
class ResponseHead {
  /** @param {string} text latin1 */
  constructor(text) {
    const lines = text.split('\n');
    this.statusText = lines[0];
    /** Empty where the URL is the one that was asked for. */
    this.url = lines[1];
    this.headers = new Headers();
    // The last line is empty: each line was ended by a line feed.
    for (let line = 2; line + 1 < lines.length; line += 2) this.headers.append(lines[line], lines[line + 1]);
  }
}

/** What a message calls a header. */
function inHeaders(name, option = 'headers') {
  return `${option}[${JSON.stringify(name)}]`;
}

/** Leading and trailing HTTP whitespace does not belong to a value (Fetch standard, "normalize"). */
function trim(value) {
  return value.replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '');
}

module.exports = { HeaderLines, ResponseHead, appendHeaders, headerPairs, inHeaders };

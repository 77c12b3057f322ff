'use strict';

/** The `headers` option of a request, in the forms that Node takes: an object, names and values in turn, or pairs. */

/** What the `onRequest` hook is given: the headers that the request begins with. */
class HeaderOptions {
  /** @type {[string, unknown][]} */
  #pairs;

  /** @param {unknown} headers as Node takes them */
  constructor(headers) {
    this.#pairs = pairsOf(headers);
  }

  /**
   * @param {(headers: HeaderOptions) => void} change
   * @param {unknown} headers
   * @returns {unknown} the changed headers, in the same form; what was given is left as it is
   */
  static changedBy(change, headers) {
    const view = new HeaderOptions(headers);
    change(view);
    return Array.isArray(headers) ? view.#pairs.flat(1) : Object.fromEntries(view.#pairs);
  }

  /** @returns {string | null} */
  get(name) {
    const values = this.#of(name).flatMap(([, value]) => value);
    return values.length === 0 ? null : values.join(', ');
  }

  has(name) {
    return this.#of(name).length > 0;
  }

  set(name, value) {
    const [first] = this.#of(name);
    if (first === undefined) {
      this.#pairs.push([name, value]);
      return;
    }
    this.#pairs = this.#pairs.filter((pair) => pair === first || !isNamed(pair, name));
    first[1] = value;
  }

  delete(name) {
    this.#pairs = this.#pairs.filter((pair) => !isNamed(pair, name));
  }

  #of(name) {
    return this.#pairs.filter((pair) => isNamed(pair, name));
  }
}

/** A copy that shares no array with the original: Node adds to arrays that it was given. */
function copyHeaders(headers) {
  if (Array.isArray(headers)) return headers.map(copyValue);
  if (typeof headers !== 'object' || headers === null) return headers;
  const copy = { ...headers };
  for (const name in copy) {
    if (Array.isArray(copy[name])) copy[name] = [...copy[name]];
  }
  return copy;
}

function copyValue(value) {
  return Array.isArray(value) ? [...value] : value;
}

/** @returns {boolean} whether there is a header of this name */
function hasHeader(headers, name) {
  return pairsOf(headers).some((pair) => isNamed(pair, name));
}

function pairsOf(headers) {
  if (!Array.isArray(headers)) return Object.entries(headers ?? {});
  if (Array.isArray(headers[0])) return headers.map(([name, value]) => [name, value]);
  return Array.from({ length: headers.length / 2 }, (_, at) => [headers[2 * at], headers[2 * at + 1]]);
}

function isNamed([own], name) {
  return String(own).toLowerCase() === name.toLowerCase();
}

module.exports = { HeaderOptions, copyHeaders, copyValue, hasHeader };

'use strict';

/** Where a WebSocket goes, and what it may speak there. What is wrong is told by the exceptions of the standard. */

const { quotedWithoutCredentials } = require('../credentials');
const { TOKEN } = require('../token');

const SCHEMES = { 'ws:': 'ws:', 'wss:': 'wss:', 'http:': 'ws:', 'https:': 'wss:' };

/**
 * @param {unknown} value
 * @returns {string} begins with ws: or wss:
 * @throws {DOMException} SyntaxError
 */
function parseUrl(value) {
  const text = `${value}`;
  if (!URL.canParse(text)) throw syntaxError(`The URL is not valid: ${quotedWithoutCredentials(text)}`);
  const url = new URL(text);
  const scheme = SCHEMES[url.protocol];
  if (scheme === undefined) {
    throw syntaxError(`The URL must begin with ws://, wss://, http:// or https://. Received ${url.protocol}`);
  }
  if (url.hash !== '' || url.href.endsWith('#')) throw syntaxError('The URL must not have a fragment.');
  url.protocol = scheme;
  return url.href;
}

/**
 * @param {unknown} value one, or a sequence of them
 * @returns {string[]}
 * @throws {DOMException} SyntaxError
 */
function parseProtocols(value) {
  if (value === undefined) return [];
  const protocols = isSequence(value) ? Array.from(value, String) : [`${value}`];
  const wrong = protocols.find((protocol, index) => !TOKEN.test(protocol) || protocols.indexOf(protocol) !== index);
  if (wrong !== undefined) throw syntaxError(`A subprotocol must be a token, and given once. Received ${JSON.stringify(wrong)}.`);
  return protocols;
}

/** As WebIDL tells a sequence from a dictionary. */
function isSequence(value) {
  return typeof value === 'object' && value !== null && typeof value[Symbol.iterator] === 'function';
}

function syntaxError(message) {
  return new DOMException(message, 'SyntaxError');
}

module.exports = { parseUrl, parseProtocols, isSequence };

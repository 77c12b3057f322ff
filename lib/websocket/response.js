'use strict';

/** The answer to a handshake, with what listeners of `ws` read of an `IncomingMessage`. */

const { Readable } = require('node:stream');

/**
 * @param {{ status: number, statusText?: string, headers: [string, string][] }} head
 * @param {string} [body] one character for each byte
 */
function responseOf({ status, statusText = '', headers }, body = '') {
  const response = Readable.from(body === '' ? [] : [Buffer.from(body, 'latin1')], { objectMode: false });
  return Object.assign(response, {
    statusCode: status,
    statusMessage: statusText,
    httpVersion: '1.1',
    headers: headersOf(headers),
    rawHeaders: headers.flat(),
  });
}

/** As Node joins them. */
function headersOf(pairs) {
  const headers = {};
  for (const [rawName, value] of pairs) {
    const name = rawName.toLowerCase();
    if (name === 'set-cookie') (headers[name] ??= []).push(value);
    else headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  return headers;
}

/** The request, for listeners that end it: there is nothing left to end when they are told. */
function requestOf(url) {
  const { pathname, search, host } = new URL(url);
  return { method: 'GET', path: pathname + search, host, destroyed: true, destroy() {}, abort() {} };
}

module.exports = { responseOf, requestOf };

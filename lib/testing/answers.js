'use strict';

/** What an origin does with a request: answers, and real faults. Each is a function of request and response. */

const { types } = require('node:util');

const { checkFunction, checkNumber, checkOptions, invalidArgument } = require('../validate');

/** A response; a body that is not bytes or a string is sent as JSON. */
function reply(status = 200, headers = {}, body = 'ok') {
  checkNumber(status, 'status', { min: 100, max: 999, integer: true });
  const isJson = typeof body !== 'string' && !types.isUint8Array(body);
  const bytes = isJson ? JSON.stringify(body) : body;
  return (request, response) => {
    // Not in one object with `headers`, which may write the same names in capitals.
    if (isJson) response.setHeader('content-type', 'application/json');
    // RFC 9110 8.6: a 204 must not have one.
    if (status !== 204) response.setHeader('content-length', Buffer.byteLength(bytes));
    response.writeHead(status, headers);
    response.end(request.method === 'HEAD' ? undefined : bytes);
  };
}

const ok = reply();

/** RST instead of an answer. */
const rst = (request, response) => response.socket.resetAndDestroy();

/** FIN instead of an answer. */
const fin = (request, response) => response.socket.end();

/** No answer, ever. */
const silence = () => {};

/** Sends the first bytes of a longer body, then does something else. */
function partial(then, options = {}) {
  checkFunction(then, 'then');
  const { headers = { 'content-length': 1000 }, part = 'partial' } = checkOptions(options, 'options', ['headers', 'part']);
  return (request, response) => {
    response.writeHead(200, headers);
    // What Linux has received it hands out before it reports the RST: the client sees the head in any case.
    response.write(part, () => then(request, response));
  };
}

/** Writes these bytes to the connection and ends it: for answers that are no HTTP. */
const raw = (text) => (request, response) => response.socket.end(text);

/** The first request gets the first answer, and so on; the last answer is for all that follow. */
function inTurn(...answers) {
  if (answers.length === 0) throw invalidArgument('answers must be at least one.');
  answers.forEach((answer, index) => checkFunction(answer, `answers[${index}]`));
  return (request, response) => answers[Math.min(request.index, answers.length - 1)](request, response);
}

/** Answers with what the request brought. */
function echo({ method, path, headers, body }, response) {
  const text = JSON.stringify({ method, path, headers, body: body.toString('base64') });
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(text);
}

module.exports = { reply, ok, rst, fin, silence, partial, raw, inTurn, echo };

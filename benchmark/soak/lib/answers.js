'use strict';

/**
 * What the server does with a request. The request says so itself in its query, so the client knows what must come of it:
 *
 * - `key`, `size`: the body (`contents.js`), `coding`: in which it is sent
 * - `strike=rst|fin|stall`, `at=before|head|body`, `times`: the first so many attempts of this call are struck
 * - `call`: which call it is, over all its attempts
 */

const zlib = require('node:zlib');

const { contents } = require('./contents');

const CODINGS = {
  gzip: zlib.gzipSync,
  deflate: zlib.deflateSync,
  br: (bytes) => zlib.brotliCompressSync(bytes, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 } }),
};

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-le';

const RESOURCES = {
  '/body': sendBody,
  '/json': (request, response, query) => sendJson(response, { call: query.get('call') }),
  '/received': (request, response) => sendReceived(request, response),
  '/too-large': (request, response) => {
    // While the request is still being sent. It is read to its end: to close with some of it unread is an RST, which can
    // take the answer with it.
    request.resume();
    response.writeHead(413);
    response.end('too large');
  },
  '/redirect': (request, response, query) => {
    response.writeHead(302, { location: `/json?call=${query.get('call')}` });
    response.end();
  },
  '/never': () => {},
};

/** Encoded bodies by their tag: the client asks for few different ones. */
const encoded = new Map();

/** How often each call has been struck. */
const struck = new Map();

/**
 * @param {http.IncomingMessage} request
 * @param {http.ServerResponse} response
 * @param {net.Socket} transport the TCP connection
 */
function answer(request, response, transport) {
  const { pathname, searchParams: query } = new URL(request.url, 'http://server');
  const send = () => RESOURCES[pathname](request, response, query);
  if (!query.has('strike') || !isStruck(query.get('call'), Number(query.get('times')))) send();
  else strike(query, response, transport, send);
}

function isStruck(call, times) {
  const before = struck.get(call) ?? 0;
  if (before === times) return false;
  struck.set(call, before + 1);
  return true;
}

function strike(query, response, transport, send) {
  const act = () => {
    if (query.get('strike') === 'rst') transport?.resetAndDestroy();
    else if (query.get('strike') === 'fin') transport?.destroy();
    // `stall`: nothing more, until the client leaves.
  };
  switch (query.get('at')) {
    case 'before':
      act();
      return;
    case 'head':
      response.socket.write(HEAD, act);
      return;
    default:
      // What comes behind this place is held back, and then does not come.
      cutAfter(response, Number(query.get('after')), act);
      send();
  }
}

/** Lets the head and so many bytes of the body through; a body that has no more than these is sent as it is. */
function cutAfter(response, bytes, act) {
  const { end } = response;
  response.end = (body) => {
    if (body.length <= bytes) end.call(response, body);
    else response.write(body.subarray(0, bytes), act);
  };
}

function sendBody(request, response, query) {
  const [key, size] = [Number(query.get('key')), Number(query.get('size'))];
  const coding = query.get('coding');
  const etag = `"${key}-${size}-${coding}"`;
  const bytes = coding ? encodedBody(etag, coding, key, size) : contents(key, size);
  const headers = { etag, 'accept-ranges': 'bytes', ...(coding && { 'content-encoding': coding }) };
  const from = firstByte(request.headers, etag);
  if (from === undefined) {
    response.writeHead(200, { ...headers, 'content-length': bytes.length });
    response.end(bytes);
    return;
  }
  const range = `bytes ${from}-${bytes.length - 1}/${bytes.length}`;
  response.writeHead(206, { ...headers, 'content-range': range, 'content-length': bytes.length - from });
  response.end(bytes.subarray(from));
}

function encodedBody(etag, coding, key, size) {
  let bytes = encoded.get(etag);
  if (bytes === undefined) {
    bytes = CODINGS[coding](contents(key, size));
    encoded.set(etag, bytes);
  }
  return bytes;
}

/** Of the rest that a resumed call asks for. */
function firstByte({ range, 'if-range': validator }, etag) {
  const [, first] = /^bytes=(\d+)-$/.exec(range ?? '') ?? [];
  return first !== undefined && validator === etag ? Number(first) : undefined;
}

function sendJson(response, value) {
  const bytes = Buffer.from(JSON.stringify(value));
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.length });
  response.end(bytes);
}

/** Says what a request brought. */
async function sendReceived(request, response) {
  let bytes = 0;
  try {
    for await (const piece of request) bytes += piece.length;
  } catch {
    // The client has left in the middle.
    return;
  }
  sendJson(response, { bytes });
}

module.exports = { answer };

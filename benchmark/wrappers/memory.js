'use strict';

/**
 * A server in memory: the clients are their own selves, all of them, and no byte goes to the kernel. What the kernel, the
 * network and another process take varies by more from call to call than a wrapper may cost, and no wrapper changes it.
 *
 * Clients on `http` get a connection that answers (every agent makes such). The built-in fetch gets a dispatcher, which
 * is its place for that: below it are only undici's parser and sockets.
 */

const http = require('node:http');
const { Duplex } = require('node:stream');

const BODY = Buffer.from(JSON.stringify({ hello: 'world', items: [1, 2, 3] }));
const HEADERS = [
  ['content-type', 'application/json'],
  ['content-length', String(BODY.length)],
  ['date', 'Mon, 23 Nov 2026 00:00:00 GMT'],
  ['connection', 'keep-alive'],
];
const ANSWER = Buffer.concat([
  Buffer.from(`HTTP/1.1 200 OK\r\n${HEADERS.map((pair) => pair.join(': ')).join('\r\n')}\r\n\r\n`),
  BODY,
]);
const RAW_HEADERS = HEADERS.flat().map((text) => Buffer.from(text));

/** Answers each write, since clients write a GET in one piece, in the next turn of the event loop. */
class Connection extends Duplex {
  connecting = false;
  bytesRead = 0;
  bytesWritten = 0;

  _read() {}

  _write(chunk, encoding, callback) {
    this.bytesWritten += chunk.length;
    setImmediate(answer, this);
    callback();
  }

  setTimeout() {
    return this;
  }

  setNoDelay() {
    return this;
  }

  setKeepAlive() {
    return this;
  }

  ref() {
    return this;
  }

  unref() {
    return this;
  }
}

function answer(connection) {
  connection.bytesRead += ANSWER.length;
  connection.push(ANSWER);
}

/** What undici calls a dispatcher, as far as its fetch asks for one. */
const dispatcher = {
  dispatch(options, handler) {
    handler.onConnect(() => {}, {});
    setImmediate(dispatched, handler);
    return true;
  },
};

function dispatched(handler) {
  handler.onHeaders(200, RAW_HEADERS, () => {}, 'OK');
  handler.onData(BODY);
  handler.onComplete([]);
}

/** From now on this process has no network. */
function answerInMemory() {
  http.Agent.prototype.createConnection = () => new Connection();
  globalThis[Symbol.for('undici.globalDispatcher.1')] = dispatcher;
}

module.exports = { answerInMemory };

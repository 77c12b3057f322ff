'use strict';

/** What a listener of a request sees, and what its server receives, byte by byte. */

const net = require('node:net');
const { once } = require('node:events');

const EVENTS = [
  'socket', 'response', 'information', 'continue', 'upgrade', 'connect', 'timeout', 'drain', 'prefinish', 'finish', 'abort', 'error',
  'close',
];

/** What of an event's arguments is compared. */
const TOLD = {
  response: (response) => response.statusCode,
  information: ({ statusCode }) => statusCode,
  upgrade: (response, socket, head) => [response.statusCode, String(head)],
  connect: (response, socket, head) => [response.statusCode, String(head)],
  error: (error) => [error.name, error.code, error.message],
};

/**
 * Notes all that a request emits, and its response.
 *
 * @param {import('node:http').ClientRequest} request
 * @param {string[]} [unheard] events to which nobody listens
 * @returns {{ events: unknown[], closed: Promise<void> }}
 */
function record(request, unheard = []) {
  const events = [];
  for (const name of EVENTS.filter((event) => !unheard.includes(event))) {
    request.on(name, (...args) => events.push(TOLD[name] ? `${name} ${TOLD[name](...args)}` : name));
  }
  const closed = new Promise((resolve) => {
    request.on('close', resolve);
  });
  return { events, closed };
}

/** Reads a response to its end, however it ends. */
async function readAll(response, events = []) {
  for (const name of ['aborted', 'end', 'close']) response.on(name, () => events.push(`response ${name}`));
  response.on('error', ({ code, message }) => events.push(`response error ${code} ${message}`));
  let body = '';
  response.setEncoding('latin1').on('data', (text) => { body += text; });
  await new Promise((resolve) => {
    response.on('close', resolve);
  });
  events.push(`body ${body}`);
  return body;
}

/**
 * A server that speaks HTTP by hand.
 *
 * @param {(socket: net.Socket, head: string, number: number, rest: string) => void} answer called for each head
 *   that has arrived, with what arrived after it
 * @returns {Promise<{ port: number, received: string[], connections: net.Socket[], close(): Promise<void> }>}
 *   `received`: all bytes of each connection
 */
async function startRaw(answer) {
  const received = [];
  const connections = [];
  let heads = 0;
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    const number = connections.push(socket) - 1;
    received.push('');
    let unread = '';
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.on('data', (chunk) => {
      received[number] += chunk.toString('latin1');
      unread += chunk.toString('latin1');
      server.emit('received');
      const end = unread.indexOf('\r\n\r\n');
      // What follows a head is a body, unless it is another head.
      if (end === -1 || !/^[A-Z]+ \S+ HTTP\/1\.1\r\n/.test(unread)) return;
      const head = unread.slice(0, end + 4);
      const rest = unread.slice(end + 4);
      unread = '';
      answer(socket, head, heads++, rest);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: server.address().port,
    received,
    connections,
    /** Resolves when what has arrived fulfils the condition. */
    async until(condition) {
      while (!condition(received)) await once(server, 'received');
    },
    async close() {
      for (const socket of connections) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** An answer with a body, on a connection that stays open. */
const ok = (body = 'ok', headers = '') => `HTTP/1.1 200 OK\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`;

module.exports = { EVENTS, ok, readAll, record, startRaw };

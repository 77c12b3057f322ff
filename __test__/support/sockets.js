'use strict';

/** Sockets of ours in tests: quick to come back, closed with the file, and what they tell as promises. */

const { once } = require('node:events');
const { Socket } = require('../..');

/** Comes back within a few milliseconds. */
const SOON = Object.freeze({ backoff: { base: 1, cap: 20 } });

/** @type {Set<Socket>} */
const sockets = new Set();
/** @type {WeakMap<Socket, Buffer[]>} */
const kept = new WeakMap();

/** A socket that connects to a port of this machine. */
function connectTo(port, options = {}) {
  const socket = new Socket({ reconnect: SOON, ...options });
  sockets.add(socket);
  return socket.connect(port, '127.0.0.1');
}

/** Everything that it tells from now on, in order: `[name, argument]`. */
function record(socket, names = ['connect', 'disconnect', 'reconnecting', 'reconnect', 'end', 'error', 'close']) {
  const told = [];
  for (const name of names) socket.on(name, (argument) => told.push([name, argument]));
  return told;
}

/** What becomes of a write: `null`, or the error. */
function written(socket, chunk) {
  return new Promise((resolve) => {
    socket.write(chunk, (error) => resolve(error ?? null));
  });
}

/**
 * All that has come and was not asked for before, when it is so many bytes at least. Once asked for, everything is kept: one
 * turn of the event loop may bring several pieces.
 */
async function received(socket, count) {
  if (!kept.has(socket)) {
    const chunks = [];
    kept.set(socket, chunks);
    socket.on('data', (chunk) => chunks.push(chunk));
  }
  const chunks = kept.get(socket);
  while (chunks.reduce((length, chunk) => length + chunk.length, 0) < count) await once(socket, 'data');
  return Buffer.concat(chunks.splice(0)).toString();
}

/** Also of a socket that fails. */
function closed(socket) {
  return new Promise((resolve) => {
    socket.once('close', resolve);
  });
}

function closeSockets() {
  for (const socket of sockets) socket.on('error', () => {}).destroy();
  sockets.clear();
}

module.exports = { SOON, connectTo, record, written, received, closed, closeSockets };

'use strict';

/** Sockets of ours in tests: quick to come back, closed with the file, and what they tell as promises. */

const { Socket } = require('../..');

/** Comes back within a few milliseconds. */
const SOON = Object.freeze({ backoff: { base: 1, cap: 20 } });

/** @type {Set<Socket>} */
const sockets = new Set();

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

/** All that comes, until there are so many bytes. */
function received(socket, count) {
  return new Promise((resolve) => {
    const chunks = [];
    let length = 0;
    socket.on('data', function take(chunk) {
      chunks.push(chunk);
      length += chunk.length;
      if (length < count) return;
      socket.removeListener('data', take);
      resolve(Buffer.concat(chunks).toString());
    });
  });
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

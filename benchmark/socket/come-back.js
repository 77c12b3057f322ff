'use strict';

/** How long it takes from a reset to the first byte of the answer on another connection, ms. */

const net = require('node:net');

const PEERS = { unreset: ours, 'hand-written': byHand, 'reconnect-core': core };

/** A thousand resets a second would be told apart from a stampede by nobody (docs/socket.md). */
const BETWEEN = 20;

/** @param {{ peer: string, port: number, returns: number }} job */
async function comeBack({ peer, port, returns }) {
  const times = [];
  await PEERS[peer](port, times, returns);
  times.sort((a, b) => a - b);
  return { median: times[times.length >> 1], p95: times[Math.floor(times.length * 0.95)] };
}

/** On each connection: an answer, which ends the time of the reset before it, and another reset. */
function play(socket, times, struck) {
  socket.write('r');
  socket.once('data', () => {
    if (struck.at !== undefined) times.push(performance.now() - struck.at);
    setTimeout(() => {
      struck.at = performance.now();
      socket.write('r');
    }, BETWEEN);
  });
}

async function ours(port, times, returns) {
  const socket = require('../..').connect({ port, host: '127.0.0.1', reconnect: { backoff: { base: 1, cap: 1 } } });
  const struck = {};
  await new Promise((resolve, reject) => {
    const again = () => (times.length < returns ? play(socket, times, struck) : resolve());
    socket.on('connect', again).on('reconnect', again).on('error', reject);
  });
  socket.destroy();
}

/** As people write it: another socket when one has gone, after the same wait that ours has at most. */
async function byHand(port, times, returns) {
  const struck = {};
  await new Promise((resolve) => {
    (function connect() {
      const socket = net.connect(port, '127.0.0.1', () => play(socket, times, struck));
      socket.on('error', () => {}).on('close', () => (times.length < returns ? setTimeout(connect, Math.random()) : resolve()));
    })();
  });
}

async function core(port, times, returns) {
  const reconnect = require('reconnect-core')((...args) => net.connect(...args));
  const struck = {};
  await new Promise((resolve) => {
    const re = reconnect({ initialDelay: 1, maxDelay: 2 }, (socket) => {
      if (times.length < returns) play(socket, times, struck);
      else {
        re.reconnect = false;
        socket.destroy();
        resolve();
      }
    }).on('error', () => {}).connect(port, '127.0.0.1');
  });
}

module.exports = { comeBack };

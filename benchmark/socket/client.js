'use strict';

/** Measures one case with one peer, in a process of its own: `node client.js <peer> <case> <port>`. Prints JSON. */

const net = require('node:net');
const { performance } = require('node:perf_hooks');
const { once } = require('node:events');

const PEERS = {
  'net.Socket': (port) => net.connect({ port, host: '127.0.0.1', noDelay: true }),
  unreset: (port) => require('../..').connect({ port, host: '127.0.0.1', reconnect: { backoff: { base: 1, cap: 1 } } }),
  /** As people write it: another socket when one has gone, after the same wait that ours has at most. */
  'hand-written': null,
};

/** How long each case warms up and runs, ms. */
const WARM = 1000;
const RUN = 4000;

const CASES = {
  /** One message of 64 bytes at a time. */
  'echo, one at a time': async (connect) => echo(await connect(), 1),
  'echo, 50 in flight': async (connect) => echo(await connect(), 50),
  'bulk to the server': async (connect) => push(await connect()),
  'bulk from the server': async (connect) => pull(await connect()),
};

async function measured(begin) {
  let count = 0;
  begin((more) => {
    count += more;
  });
  await pause(WARM);
  const [from, utilization, cpu, began] = [count, performance.eventLoopUtilization(), process.cpuUsage(), performance.now()];
  await pause(RUN);
  const seconds = (performance.now() - began) / 1000;
  const done = count - from;
  const { active } = performance.eventLoopUtilization(utilization);
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: done / seconds, loopMicroseconds: (active * 1000) / done, cpuMicroseconds: (user + system) / done };
}

function echo(socket, inFlight) {
  const message = Buffer.alloc(64, 'm');
  return measured((done) => {
    let bytes = 0;
    socket.on('data', (chunk) => {
      bytes += chunk.length;
      const messages = Math.floor(bytes / message.length);
      bytes -= messages * message.length;
      done(messages);
      for (let i = 0; i < messages; i++) socket.write(message);
    });
    socket.write('e');
    for (let i = 0; i < inFlight; i++) socket.write(message);
  });
}

/** In MiB. */
function push(socket) {
  const chunk = Buffer.alloc(64 * 1024, 'x');
  return measured((done) => {
    const send = () => {
      while (socket.write(chunk));
    };
    socket.on('drain', send);
    socket.on('data', ({ length }) => done(length));
    socket.write('s');
    send();
  });
}

/** In MiB. */
function pull(socket) {
  return measured((done) => {
    socket.on('data', ({ length }) => done(length / 2 ** 20));
    socket.write('g');
  });
}

/** From the reset to the first byte of the answer on another connection, ms. */
async function comeBack(peer, port) {
  const times = [];
  const loops = { unreset: comeBackOurs, 'hand-written': comeBackByHand, 'reconnect-core': comeBackCore };
  await loops[peer](port, times);
  times.sort((a, b) => a - b);
  return { median: times[times.length >> 1], p95: times[Math.floor(times.length * 0.95)], count: times.length };
}

const TIMES = 200;

/** On each connection: an answer, which ends the time of the reset before it, and another reset. */
function play(socket, times, struck) {
  socket.write('r');
  socket.once('data', () => {
    if (struck.at !== undefined) times.push(performance.now() - struck.at);
    // Fewer than a process is allowed to be back in a second (docs/socket.md).
    setTimeout(() => {
      struck.at = performance.now();
      socket.write('r');
    }, 20);
  });
}

async function comeBackOurs(port, times) {
  const socket = PEERS.unreset(port);
  const struck = {};
  await new Promise((resolve) => {
    const again = () => (times.length < TIMES ? play(socket, times, struck) : resolve());
    socket.on('connect', again).on('reconnect', again).on('error', resolve);
  });
  socket.destroy();
}

async function comeBackByHand(port, times) {
  const struck = {};
  await new Promise((resolve) => {
    (function connect() {
      const socket = net.connect(port, '127.0.0.1', () => play(socket, times, struck));
      socket.on('error', () => {}).on('close', () => (times.length < TIMES ? setTimeout(connect, Math.random()) : resolve()));
    })();
  });
}

async function comeBackCore(port, times) {
  const reconnect = require('reconnect-core')((...args) => net.connect(...args));
  const struck = {};
  await new Promise((resolve) => {
    const re = reconnect({ initialDelay: 1, maxDelay: 2 }, (socket) => {
      if (times.length < TIMES) play(socket, times, struck);
      else {
        re.reconnect = false;
        socket.destroy();
        resolve();
      }
    }).on('error', () => {}).connect(port, '127.0.0.1');
  });
}

function pause(milliseconds) {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

async function main([peer, name, port]) {
  const result = name === 'come back'
    ? await comeBack(peer, port)
    : await CASES[name](async () => {
      const socket = PEERS[peer](port);
      await once(socket, 'connect');
      return socket;
    });
  console.log(JSON.stringify(result));
  process.exit();
}

main(process.argv.slice(2));

'use strict';

/** Measures one case with one peer, in a process of its own: `node client.js <job as JSON>`. Prints JSON. */

const net = require('node:net');
const { once } = require('node:events');

const { comeBack } = require('./come-back');
const { loopSource, perCall, readClocks } = require('../lib/clocks');
const { readThreads, usePerCall } = require('../lib/threads');

const PEERS = {
  'net.Socket': (port) => net.connect({ port, host: '127.0.0.1', noDelay: true }),
  unreset: (port) => require('../..').connect({ port, host: '127.0.0.1' }),
};

/** Each begins, and says how much more has been done. */
const CASES = {
  'echo-1': (socket, done) => echo(socket, done, 1),
  'echo-50': (socket, done) => echo(socket, done, 50),
  up,
  down,
};

function echo(socket, done, inFlight) {
  const message = Buffer.alloc(64, 'm');
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
}

/** The server answers each MiB with a byte. */
function up(socket, done) {
  const chunk = Buffer.alloc(64 * 1024, 'x');
  const send = () => {
    while (socket.write(chunk));
  };
  socket.on('drain', send);
  socket.on('data', ({ length }) => done(length));
  socket.write('s');
  send();
}

function down(socket, done) {
  socket.on('data', ({ length }) => done(length / 2 ** 20));
  socket.write('g');
}

async function measure({ peer, case: name, port, serverPid, warmUp, window, threads: wantsThreads }) {
  const socket = PEERS[peer](port);
  await once(socket, 'connect');
  let count = 0;
  CASES[name](socket, (more) => {
    count += more;
  });
  await pause(warmUp);
  const begun = count;
  const threads = wantsThreads ? readThreads() : undefined;
  const clocks = readClocks(serverPid);
  await pause(window);
  const figures = perCall(clocks, readClocks(serverPid), count - begun);
  return { loopSource, figures, threads: threads && usePerCall(threads, readThreads(), count - begun) };
}

function pause(milliseconds) {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

async function main(job) {
  const result = job.case === 'come-back' ? { figures: await comeBack(job) } : await measure(job);
  console.log(JSON.stringify(result));
  process.exit();
}

main(JSON.parse(process.argv[2]));

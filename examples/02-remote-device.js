'use strict';

/**
 * Scenario 2: a program holds a TCP connection to a remote device and says a line now and then; the device answers each.
 * The shape of this file is described in examples/README.md.
 */

const net = require('node:net');
const { once } = require('node:events');
const { setTimeout: pause } = require('node:timers/promises');

// --- The code people have, and the code they write instead ---------------------------------------

const plain = {
  label: 'net.Socket, its errors logged',
  client({ port, heard }) {
    const client = new net.Socket();
    client.connect(port, '127.0.0.1');
    client.on('data', heard);
    client.on('error', (err) => console.log(`error: ${err.code}`));
    return client;
  },
};

const usual = {
  label: 'the same, connected again when it was reset',
  client({ port, heard }) {
    const client = new net.Socket();
    client.connect(port, '127.0.0.1');
    client.on('data', heard);
    client.on('error', (err) => {
      console.log(`error: ${err.code}`);
      if (err.code === 'ECONNRESET') client.connect(port, '127.0.0.1');
    });
    return client;
  },
};

const ours = {
  label: 'another import, a heartbeat, and a listener that wants to know',
  client({ port, heard, lost, waits }) {
    const { Socket } = require('unreset'); // the import

    const client = new Socket({
      heartbeat: { interval: 100, timeout: 1000, send: 'ping\n', expect: 'pong\n' },
    });
    client.connect(port, '127.0.0.1');
    client.on('data', heard);
    client.on('error', (err) => console.log(`error: ${err.code}`));
    client.on('disconnect', ({ fault }) => lost(fault)); // for this report; a program may log it, or leave it
    client.on('reconnecting', waits);
    return client;
  },
};

// --- The device ----------------------------------------------------------------------------------

/** What meets each line: before its answer, or after it. */
const SCRIPT = {
  'hello 1': { after: 'RST' },
  'hello 3': { before: 'RST' },
  'hello 4': { before: 'restart' },
  'hello 6': { after: 'FIN' },
  'hello 8': { before: 'silence' },
};
const LINES = Array.from({ length: 9 }, (_, index) => `hello ${index + 1}`);

/** How long the device is away when it restarts, and how long a line is waited for (ms). */
const RESTART = 200;
const PATIENCE = 3000;

async function start() {
  const requests = [];
  const sockets = new Set();
  let striking;
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.setEncoding('utf8').on('error', () => {}).on('close', () => sockets.delete(socket));
    let rest = '';
    let silent = false;
    socket.on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      for (const line of lines.filter(() => !silent)) silent = serve(socket, line);
    });
  });

  /** Whether the device falls silent at this line: it is there, and will never say anything any more. */
  function serve(socket, line) {
    if (line === 'ping') return void socket.write('pong\n');
    const isFirst = !requests.some((request) => request.line === line);
    const { before, after } = (isFirst && SCRIPT[line]) || {};
    requests.push({ line, at: performance.now(), did: before ?? 'answered' });
    if (before === 'silence') return true;
    if (before === 'RST') return void socket.resetAndDestroy();
    socket.write(`heard ${line}\n`);
    if (after) strike(() => (after === 'RST' ? socket.resetAndDestroy() : socket.end()));
    return false;
  }

  /** A moment after the answer, so that it arrives. */
  function strike(end) {
    striking = pause(20).then(end);
  }

  async function shutDown() {
    server.close();
    for (const socket of sockets) socket.resetAndDestroy();
    await once(server, 'close');
  }

  async function listen(at) {
    server.listen(at, '127.0.0.1');
    await once(server, 'listening');
  }

  await listen(0);
  const { port } = server.address();
  /** Answers when what was asked for has begun: that the device is away, or that what strikes after an answer has struck. */
  async function obey(socket, order) {
    if (order === 'restart') await shutDown();
    else await striking;
    socket.end();
    if (order !== 'restart') return;
    await pause(RESTART);
    await listen(port);
  }

  const control = net.createServer((socket) => {
    socket.on('error', () => {}).on('data', (order) => obey(socket, String(order)));
  }).listen(0, '127.0.0.1');
  await once(control, 'listening');
  return {
    address: { port, control: control.address().port },
    requests,
    /** Lines that the device was told more than once. */
    duplicates: () => requests.length - new Set(requests.map(({ line }) => line)).size,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      control.close();
      await once(control, 'close');
    },
  };
}

// --- The program ---------------------------------------------------------------------------------

const calls = LINES.map((line) => ({
  name: line,
  meets: Object.entries(SCRIPT[line] ?? {}).map(([when, what]) => (when === 'before' ? what : `${what} afterwards`)),
}));

/** Says one line after the other, and waits for each answer. */
async function run(variant, { port, control }, report) {
  let text = '';
  let news = () => {};
  let waits = [];
  const client = variant.client({
    port,
    heard(chunk) {
      text += chunk;
      news();
    },
    lost: (fault) => news(fault),
    waits: (next) => waits.push(next),
  });
  // A handle of the program's own: a client that is gone must not end it.
  const alive = setInterval(() => {}, 1000);

  for (const line of LINES) {
    await tell(control, SCRIPT[line]?.before === 'restart' ? 'restart' : 'strike');
    await pause(60); // the program has other things to do
    const lost = await answered(line);
    const isHeard = text.includes(`heard ${line}\n`);
    report({
      call: line,
      outcome: isHeard ? 'succeeded' : 'failed',
      saw: isHeard ? `heard ${line}` : 'nothing',
      error: lost && { message: lost.reason, code: lost.code, kind: lost.kind, delivery: lost.delivery },
      recovery: waits.length === 0 ? undefined : recoveryOf(waits, lost),
    });
    waits = [];
  }
  clearInterval(alive);
  client.destroy();

  /** Resolves when the line is answered, when its connection is lost (with the fault) or the client gone, or when patience is at its end. */
  async function answered(line) {
    client.write(`${line}\n`);
    const answer = new Promise((resolve) => {
      // Nothing comes from a client that is gone.
      const gone = () => client.destroyed && resolve();
      client.once('close', gone);
      gone();
      news = (fault) => {
        if (fault?.delivery === 'unknown' && fault.phase !== 'idle') resolve(fault);
        else if (text.includes(`heard ${line}\n`)) resolve();
      };
    });
    const result = await Promise.race([answer, pause(PATIENCE, undefined, { ref: false })]);
    news = () => {};
    return result;
  }
}

/** Whoever plays this scenario is at the device: it restarts, or the fault after its last answer strikes. */
async function tell(control, order) {
  const socket = net.connect(control, '127.0.0.1');
  socket.end(order);
  socket.resume();
  await once(socket, 'close');
}

/** What each wait was for, and how long it was. */
function recoveryOf(waits, lost) {
  const delays = [0, ...waits.map(({ delay }) => delay)];
  const attempts = [...waits.map(({ fault }) => fault), ...(lost ? [] : [null])].map((fault, index) => ({ fault, delay: delays[index] }));
  return { attempts };
}

// --- What ours must have done --------------------------------------------------------------------

/** Claims about the run of `ours`, each decided by what happened. */
function promises({ outcomes, requests, duplicates }) {
  const of = (name) => outcomes.find((outcome) => outcome.call === name) ?? {};
  const lost = LINES.filter((line) => ['RST', 'silence'].includes(SCRIPT[line]?.before));
  const others = LINES.filter((line) => !lost.includes(line));
  return [
    {
      claim: 'every line was answered but those whose connection died under them, through RST, FIN and a restart',
      kept: others.every((line) => of(line).outcome === 'succeeded'),
    },
    {
      claim: 'for those the program was told that they may be lost',
      kept: lost.every((line) => of(line).outcome === 'failed' && of(line).error?.delivery === 'unknown'),
    },
    {
      claim: 'the device that fell silent was noticed by the heartbeat',
      kept: of('hello 8').error?.code === 'ETIMEDOUT' && of('hello 9').outcome === 'succeeded',
    },
    { claim: 'no line was said twice', kept: duplicates === 0 && requests.length === LINES.length },
  ];
}

module.exports = {
  number: 2,
  title: 'a remote device',
  story: 'A program says a line to a device over TCP now and then; the device resets, closes, restarts and falls silent.',
  calls,
  start,
  run,
  promises,
  plain,
  usual,
  ours,
};

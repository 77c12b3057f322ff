'use strict';

/** Measures one case with one peer, in a process of its own: `node --expose-gc client.js <job as JSON>`. Prints JSON. */

const { setTimeout: pause } = require('node:timers/promises');

const { cases, IDLE } = require('./cases');
const { peers } = require('./peers');
const { loopSource, perCall, readClocks } = require('../lib/clocks');

const opened = (ws) => new Promise((resolve, reject) => {
  ws.addEventListener('open', resolve);
  ws.addEventListener('error', (event) => reject(event.error ?? new Error('the connection failed')));
});

async function echo({ peer, case: name, ports, serverPid, warmUp, window }) {
  const { body, inFlight, deflate } = cases[name];
  const { load, onMessage } = peers[peer];
  const ws = load()(`ws://127.0.0.1:${deflate ? ports.deflate : ports.plain}`);
  await opened(ws);
  if (deflate && !ws.extensions.includes('permessage-deflate')) throw new Error('no compression was agreed on');
  const message = body();
  let count = 0;
  onMessage(ws, (length) => {
    if (length !== message.length) throw new Error(`${length} came back of ${message.length}`);
    count += 1;
    ws.send(message);
  });
  for (let sent = 0; sent < inFlight; sent += 1) ws.send(message);
  await pause(warmUp);
  const begun = count;
  const clocks = readClocks(serverPid);
  await pause(window);
  return { loopSource, figures: perCall(clocks, readClocks(serverPid), count - begun) };
}

/** What the process has grown by for each connection, when garbage is collected. */
async function idle({ peer, ports }) {
  const { connections, hosts } = IDLE;
  const connect = peers[peer].load();
  const urlOf = (index) => `ws://127.0.0.${1 + (index % hosts)}:${ports.plain}`;
  // What is there once, whatever the number of connections.
  const first = connect(urlOf(0));
  await opened(first);
  const before = await settledMemory();
  const all = [];
  for (let begun = 0; begun < connections; begun += 500) {
    const some = Array.from({ length: 500 }, (_, index) => connect(urlOf(begun + index)));
    await Promise.all(some.map(opened));
    all.push(...some);
  }
  const after = await settledMemory();
  if (![first, ...all].every(({ readyState }) => readyState === 1)) throw new Error('not all connections have lasted');
  const of = (kind) => (after[kind] - before[kind]) / connections / 1024;
  return { figures: { memory: of('rss'), heap: of('heapUsed') } };
}

async function settledMemory() {
  for (let time = 0; time < 3; time += 1) {
    globalThis.gc();
    await pause(100);
  }
  return process.memoryUsage();
}

async function main(job) {
  console.log(JSON.stringify(await (job.case === 'idle' ? idle : echo)(job)));
  process.exit();
}

main(JSON.parse(process.argv[2]));

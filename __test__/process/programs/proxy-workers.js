'use strict';

// Workers that end with open proxies, over and over: their ports must be given back, their clients must be told, and
// no descriptor may stay.

const fs = require('node:fs');
const net = require('node:net');
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');
const { once } = require('node:events');
const { FaultProxy } = require('../../..');

const WORKERS = 60;
const AT_ONCE = 4;

if (isMainThread) main();
else inWorker();

async function inWorker() {
  const proxies = await Promise.all(Array.from({ length: 3 }, () => FaultProxy.listen(workerData)));
  proxies[0].add({ type: 'stall', on: 'response' });
  proxies[1].add({ type: 'latency', on: 'response', ms: 60_000 });
  proxies[2].add({ type: 'refuse', on: 'accept' });
  // On its way when the worker ends.
  FaultProxy.listen(workerData);
  proxies[2].close();
  parentPort.postMessage(proxies.map(({ port }) => port));
}

async function main() {
  const service = net.createServer((socket) => socket.on('error', () => {}).write('hello')).listen(0, '127.0.0.1');
  await once(service, 'listening');
  const workerOptions = { workerData: { upstream: service.address().port } };
  // The runtime's own descriptors are there from here on.
  await (await FaultProxy.listen(workerOptions.workerData)).close();
  const before = openDescriptors();

  let started = 0;
  let told = 0;
  const lane = async () => {
    while (started < WORKERS) {
      started++;
      const worker = new Worker(__filename, workerOptions);
      const [ports] = await once(worker, 'message');
      const clients = await Promise.all(ports.slice(0, 2).map(connected));
      const ends = clients.map((client) => new Promise((resolve) => {
        client.on('error', () => {}).on('close', resolve).resume();
      }));
      await worker.terminate();
      await Promise.all(ends);
      told += ends.length;
      for (const port of ports) await refused(port);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  for (let turn = 0; turn < 200 && openDescriptors() > before; turn++) {
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
  }
  console.log(JSON.stringify({ started, told, left: Math.max(0, openDescriptors() - before) }));
  service.close();
}

async function connected(port) {
  const client = net.connect(port, '127.0.0.1');
  await once(client, 'connect');
  return client;
}

/** A port that is given back refuses; until then the attempt is repeated, up to a bound. */
async function refused(port) {
  for (let turn = 0; turn < 200; turn++) {
    const client = net.connect(port, '127.0.0.1');
    const code = await new Promise((resolve) => {
      client.once('connect', () => resolve('connected')).once('error', (error) => resolve(error.code));
    });
    client.destroy();
    if (code === 'ECONNREFUSED') return;
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
  }
  throw new Error(`port ${port} still listens`);
}

/** Of this process; on Linux. */
function openDescriptors() {
  return process.platform === 'linux' ? fs.readdirSync('/proc/self/fd').length : 0;
}

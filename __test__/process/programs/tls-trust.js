'use strict';

// Whom this process trusts: fetches what the arguments say, one after the other, and prints what each came to.
// Each argument is JSON: `{ client, url, tls, proxy, env, defaults, worker }`.

const tls = require('node:tls');
const { Worker, isMainThread, workerData } = require('node:worker_threads');
const { createFetch } = require('../../..');

const shared = createFetch({ retry: false });

const CLIENTS = {
  builtIn: ({ url }) => globalThis.fetch(url),
  ours: ({ url }) => shared(url),
  own: ({ url, tls: options, proxy }) => createFetch({ retry: false, tls: options, proxy })(url),
};

async function run(task) {
  for (const [name, value] of Object.entries(task.env ?? {})) {
    if (value === null) delete process.env[name];
    else process.env[name] = value;
  }
  if (task.defaults) tls.setDefaultCACertificates(task.defaults);
  try {
    return await (await CLIENTS[task.client](task)).text();
  } catch (error) {
    return error.cause?.code ?? String(error);
  }
}

function runInWorker(task) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(__filename, { workerData: task });
    worker.on('message', resolve);
    worker.on('error', reject);
  });
}

async function main() {
  const outcomes = [];
  for (const argument of process.argv.slice(2)) {
    const { worker, ...task } = JSON.parse(argument);
    outcomes.push(worker ? await runInWorker(task) : await run(task));
  }
  console.log(JSON.stringify(outcomes));
}

if (isMainThread) main();
else run(workerData).then((outcome) => require('node:worker_threads').parentPort.postMessage(outcome));

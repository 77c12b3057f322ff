'use strict';

/** One run: the process under test is started, followed, and has to end by itself. */

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { fork } = require('node:child_process');
const { once } = require('node:events');

const selfsigned = require('selfsigned');

const { growthOf, memoryLeaks } = require('./memory');

const CLIENT = path.join(__dirname, '..', 'client.js');
/**
 * How long what has to go is waited for (ms): a call that is forgotten, an idle connection, at last the process. Longer than
 * any idle limit of a pool here, or of a server.
 */
const PATIENCE = 20_000;

/**
 * @typedef {object} Outcome
 * @property {number} settled
 * @property {import('./memory').Sample[]} samples
 * @property {ReturnType<typeof growthOf>} growth
 * @property {string[]} leaks a sentence for each; none is a pass
 */

/**
 * @param {import('./options').SoakOptions} options
 * @param {object} [hooks]
 * @param {(sample: import('./memory').Sample, wrong: number) => void} [hooks.onSample]
 * @param {string} [hooks.preload] a module that the process under test loads first; for tests that leak on purpose
 * @param {number} [hooks.patience] how long what has to go is waited for (ms)
 * @returns {Promise<Outcome>}
 */
async function soak(options, { onSample = () => {}, preload, patience = PATIENCE } = {}) {
  const tls = await certificate();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'unreset-soak-'));
  try {
    const roots = path.join(folder, 'roots.pem');
    fs.writeFileSync(roots, tls.cert);
    const client = fork(CLIENT, {
      execArgv: ['--expose-gc', ...(preload ? ['--require', preload] : [])],
      env: { ...process.env, NODE_EXTRA_CA_CERTS: roots },
      serialization: 'advanced',
    });
    client.send({ ...options, tls, patience });
    return await follow(client, patience, onSample);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

async function follow(client, patience, onSample) {
  let report;
  let timer;
  client.on('message', (message) => {
    if (message.sample) {
      onSample(message.sample, message.wrong);
      return;
    }
    report = message;
    timer = setTimeout(() => client.kill('SIGKILL'), patience);
  });
  const [code, signal] = await once(client, 'exit');
  clearTimeout(timer);
  if (report === undefined) throw new Error(`the process under test died (${signal ?? `exit code ${code}`})`);
  const { ends, samples, leaks } = report;
  const growth = growthOf(samples);
  const found = [...wrongEnds(ends), ...leaks, ...memoryLeaks(growth), ...lives(code, signal, patience)];
  return { settled: ends.settled, samples, growth, leaks: found };
}

function wrongEnds({ wrong, told, unsettled }) {
  const sentences = [];
  if (unsettled.length > 0) sentences.push(`${unsettled.length} calls never settled: ${unsettled.slice(0, 5).join(', ')}`);
  if (wrong > 0) sentences.push(`${wrong} calls ended as they must not: ${told.join('; ')}`);
  return sentences;
}

function lives(code, signal, patience) {
  if (signal === 'SIGKILL') return [`the process did not end by itself within ${patience / 1000} s`];
  return code === 0 && signal === null ? [] : [`the process ended with ${signal ?? `exit code ${code}`}`];
}

async function certificate() {
  const { private: key, cert } = await selfsigned.generate([{ name: 'commonName', value: '127.0.0.1' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
  });
  return { key, cert };
}

module.exports = { soak };

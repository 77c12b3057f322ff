'use strict';

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { text } = require('node:stream/consumers');

const { ownEnvironment } = require('./environment');

const CLIENT = path.join(__dirname, '..', 'client.js');
/** What a measurement may take beyond its warm-up and window before it counts as hanging, in ms. */
const GRACE = 30_000;

/**
 * Runs one measurement in a process of its own.
 * @param {string} node the Node to measure
 * @param {object} job see client.js
 * @param {string} authority a file with the certificate that the process is to trust, by the variables that Node and
 *   the native clients read: nobody is told to skip the check
 * @returns {Promise<object>} what client.js printed, or `{ failed }` with the reason
 */
async function runMeasurement(node, job, authority) {
  const child = spawn(node, [CLIENT, JSON.stringify(job)], {
    env: { ...ownEnvironment(), NODE_EXTRA_CA_CERTS: authority, SSL_CERT_FILE: authority },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: job.warmUp.atMost + job.window + GRACE,
    killSignal: 'SIGKILL',
  });
  const [stdout, stderr, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  if (code === 0) return JSON.parse(stdout);
  return { failed: signal ? `ended by ${signal}` : stderr.trim() || `exit code ${code}` };
}

module.exports = { runMeasurement };

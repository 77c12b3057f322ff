'use strict';

/** Calls made by `proxied-call.js`, under an environment and flags of the test's choice. */

const { execFile } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { promisify } = require('node:util');

/** Whoever runs the tests may have these. */
const PROXY_VARIABLES = /^(https?|no|all)_proxy$|^NODE_USE_ENV_PROXY$|^NODE_OPTIONS$/i;

/**
 * What came of a call: see `proxied-call.js`.
 *
 * @param {{ url: string, init?: object, options?: object, builtIn?: boolean }} call
 * @param {object} [conditions]
 * @param {NodeJS.ProcessEnv} [conditions.env] besides the test's own, less what names proxies
 * @param {string[]} [conditions.flags] of Node
 * @param {string} [conditions.trust] a certificate, in PEM
 */
async function callInProcess(call, { env = {}, flags = [], trust } = {}) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'unreset-proxy-'));
  try {
    const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !PROXY_VARIABLES.test(name)));
    const full = { ...clean, ...env };
    if (trust !== undefined) {
      full.NODE_EXTRA_CA_CERTS = path.join(directory, 'root.pem');
      fs.writeFileSync(full.NODE_EXTRA_CA_CERTS, trust);
    }
    const args = [...flags, path.join(__dirname, 'proxied-call.js'), JSON.stringify(call)];
    const { stdout } = await promisify(execFile)(process.execPath, args, { env: full, timeout: 20_000 });
    return JSON.parse(stdout);
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
}

module.exports = { callInProcess };

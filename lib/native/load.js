'use strict';

/**
 * Loads the addon that fits, or says in one message what is missing and how to get it. The bare failure of
 * `require` names a file or a symbol, from which nobody can tell that the package was installed on another
 * platform, without its install script, or over an older version.
 */

const fs = require('node:fs');
const path = require('node:path');

const { currentTarget, addonPath } = require('./target');

const BUILD_COMMAND = 'npx unreset build';

/**
 * @param {object} from
 * @param {string} from.root the package's directory
 * @param {string} from.version the package's version; an addon of another one is refused
 * @returns {object} the addon's exports
 * @throws {Error} with `code: 'ERR_UNRESET_NATIVE'` and what the message says as properties: `platform`, `arch`,
 *   `libc`, `nodeVersion`, `file`, `problem`; `cause` where loading failed
 */
function loadAddon({ root, version }) {
  const target = currentTarget();
  const override = process.env.UNRESET_NATIVE_PATH;
  const file = override ? path.resolve(override) : addonPath(root, target);

  if (!fs.existsSync(file)) throw nativeError(target, file, `there is no ${file}`);

  let addon;
  try {
    addon = require(file);
  } catch (cause) {
    throw nativeError(target, file, `${file} is there but cannot be loaded: ${cause.message}`, cause);
  }

  // A leftover of another release has another boundary: calls would fail later, and less clearly.
  const found = typeof addon.version === 'function' ? addon.version() : 'unknown';
  if (found !== version) {
    throw nativeError(target, file, `${file} is version ${found}, this package is version ${version}`);
  }
  return addon;
}

/**
 * @param {import('./target').Target} target
 * @param {string} file the addon that was looked for
 * @param {string} problem what is wrong with it
 * @param {Error} [cause]
 */
function nativeError(target, file, problem, cause) {
  const libc = target.libc ? `, libc ${target.libc}` : '';
  const message = `unreset has no native addon for this platform (${target.platform} ${target.arch}${libc}, ` +
    `Node ${process.version}): ${problem}\n` +
    `Build it here, with Rust installed (https://rustup.rs): ${BUILD_COMMAND}`;
  const error = new Error(message, cause && { cause });
  return Object.assign(error, {
    code: 'ERR_UNRESET_NATIVE',
    platform: target.platform,
    arch: target.arch,
    libc: target.libc,
    nodeVersion: process.version,
    file,
    problem,
  });
}

module.exports = { loadAddon, BUILD_COMMAND };

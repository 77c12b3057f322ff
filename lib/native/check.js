'use strict';

/**
 * Whether the addon in a package can be loaded by this Node. Asked of a child process: a library that does not
 * fit may take its process down, and one that is loaded cannot be replaced on Windows.
 */

const { spawnSync } = require('node:child_process');
const path = require('node:path');

/**
 * @param {string} root the package's directory
 * @returns {string | undefined} why the addon cannot be used; undefined when it can
 */
function addonProblem(root) {
  const env = { ...process.env };
  delete env.UNRESET_NATIVE_PATH;
  // Printed by hand, because an uncaught error is printed with its stack.
  const script = 'try { require(process.argv[1]) } catch (e) { console.log(e.problem ?? e.message); process.exit(1) }';
  const child = spawnSync(process.execPath, ['-e', script, path.join(root, 'lib', 'native.js')], {
    env,
    encoding: 'utf8',
    windowsHide: true,
  });
  if (child.status === 0) return undefined;
  return child.stdout.trim() || `loading the addon ended Node (${child.error?.message ?? child.signal ?? child.status})`;
}

module.exports = { addonProblem };

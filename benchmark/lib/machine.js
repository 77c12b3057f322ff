'use strict';

const { spawnSync } = require('node:child_process');
const os = require('node:os');

/** What the figures of a run depend on besides the code. */
function describeMachine() {
  const processors = os.cpus();
  return {
    processor: processors[0]?.model ?? 'unknown',
    cores: os.availableParallelism(),
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    kernel: `${os.type()} ${os.release()} ${os.machine()}`,
  };
}

/** @returns {{ commit: string | undefined, dirty: boolean }} `dirty`: files differ from the commit */
function describeCommit() {
  const git = (...args) => spawnSync('git', args, { cwd: __dirname, encoding: 'utf8' }).stdout?.trim();
  return {
    commit: git('rev-parse', 'HEAD') || undefined,
    dirty: Boolean(git('status', '--porcelain', '--untracked-files=no')),
  };
}

/**
 * @param {string} node path of a Node
 * @returns {string} its version, without the `v`
 */
function nodeVersion(node) {
  const child = spawnSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(`${node} is not a Node that runs here`);
  return child.stdout.trim();
}

module.exports = { describeMachine, describeCommit, nodeVersion };

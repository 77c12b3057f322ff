'use strict';

const { spawnSync } = require('node:child_process');
const os = require('node:os');

/** Load average from which on the machine counts as busy with something else. */
const BUSY = 0.5;

/** What the figures of a run depend on besides the code. To be asked before the run; warns on a busy machine. */
function describeMachine() {
  const processors = os.cpus();
  const [load] = os.loadavg();
  if (load > BUSY) console.error(`the machine is busy (load ${load.toFixed(2)}): times will be noise`);
  return {
    processor: processors[0]?.model ?? 'unknown',
    cores: os.availableParallelism(),
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    kernel: `${os.type()} ${os.release()} ${os.machine()}`,
    loadBefore: load,
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

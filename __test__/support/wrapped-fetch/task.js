'use strict';

/** One case with one client, described by names so that it can run in this process or in another. */

const { fork } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');

const { wrapFetch } = require('../../..');
const { closeAll } = require('../../../testing');
const { CASES } = require('./cases');
const { FETCHES } = require('./clients');

/**
 * @param {{ client: string, name: string }} task
 * @returns {Promise<{ outcome?: unknown, thrown?: string }>} plain data
 */
async function runTask({ client, name }) {
  try {
    const { kind, load } = FETCHES[client];
    return { outcome: plain(await CASES[name].run({ inner: await load(), kind, client, wrapFetch })) };
  } catch (error) {
    return { thrown: String(error?.stack) };
  } finally {
    await closeAll();
  }
}

/** As it would come from another process. */
function plain(outcome) {
  return JSON.parse(JSON.stringify(outcome));
}

class TaskRunner {
  #child;

  async run(task) {
    const { outcome, thrown } = FETCHES[task.client].imported ? await this.#inChild(task) : await runTask(task);
    if (thrown !== undefined) throw new Error(thrown);
    return outcome;
  }

  async close() {
    if (this.#child === undefined) return;
    const exit = once(this.#child, 'exit');
    this.#child.disconnect();
    await exit;
  }

  async #inChild(task) {
    this.#child ??= fork(path.join(__dirname, 'process.js'));
    this.#child.send(task);
    const [result] = await once(this.#child, 'message');
    return result;
  }
}

module.exports = { TaskRunner, runTask };

'use strict';

/** One call of one client, described by plain data so that it can run in this process or in another. */

const { setTimeout: sleep } = require('node:timers/promises');
const { fork } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');

const { classify } = require('../../lib/fault');
const { CLIENTS, IMPORTED } = require('./clients');

/** How a call can be aborted. */
const ABORTS = {
  plainly: () => [],
  'with an error': () => [Object.assign(new Error('changed my mind'), { code: 'ECONNRESET' })],
  'with a string': () => ['changed my mind'],
};

/**
 * @typedef {object} Task
 * @property {string} client
 * @property {string} url
 * @property {string} [headSeen] asked for when the client has the head of the response
 * @property {number} [timeout] ms
 * @property {number} [connectTimeout] ms
 * @property {number} [silenceTimeout] ms, got's limit on a socket on which nothing moves
 * @property {boolean} [http2] got, where the server offers it
 * @property {string} [ca]
 * @property {keyof ABORTS} [abort]
 * @property {boolean} [abortInBody] when the client has the head of the response and has begun to read the body
 * @property {number} [signalTimeout] ms, for `AbortSignal.timeout`
 */

/**
 * @param {Task} task
 * @returns {Promise<{ fault: import('../..').Fault, underSignal: import('../..').Fault, settled: 'response' | 'error' }>}
 *   the fault, without and with the signal as context; of the response, if it came to its end
 */
async function runTask({ client, url, headSeen, abort, abortInBody, signalTimeout, ...limits }) {
  const controller = new AbortController();
  const signal = signalTimeout === undefined ? controller.signal : AbortSignal.timeout(signalTimeout);
  const abortNow = () => controller.abort(...ABORTS[abort]());
  const onHead = abortInBody ? () => void setImmediate(abortNow) : headSeen && (() => fetch(headSeen));
  // The server does not answer, so the moment does not matter.
  if (abort && !abortInBody) sleep(20).then(abortNow);
  const judge = (settled, thing) => ({ settled, fault: classify(thing), underSignal: classify(thing, { signal }) });
  try {
    return judge('response', await CLIENTS[client](url, { ...limits, signal, onHead }));
  } catch (error) {
    return judge('error', error);
  }
}

/** Runs tasks here, or in a child process where the client needs one. */
class ClientRunner {
  #child;

  /** @param {Task} task */
  async run(task) {
    if (!IMPORTED.includes(task.client)) return runTask(task);
    this.#child ??= fork(path.join(__dirname, 'client-process.js'));
    this.#child.send(task);
    const [result] = await once(this.#child, 'message');
    return result;
  }

  async close() {
    if (this.#child === undefined) return;
    const exit = once(this.#child, 'exit');
    this.#child.disconnect();
    await exit;
  }
}

module.exports = { ClientRunner, runTask };

'use strict';

/** One call of a wrapped axios: attempts by the adapter below, until one is the answer or the policy ends it. */

const { PolicyCall } = require('../../policy/call');
const { callOnRequest } = require('../../policy/on-request');
const { withRecovery } = require('../../policy/recovery');
const { invalidArgument } = require('../../validate');
const { discardBody, watchBody } = require('./answer-body');
const { AttemptConfig } = require('./attempt-config');
const { AxiosRequest } = require('./axios-request');
const { fixBoundary } = require('./form-boundary');
const { closeIdleConnections, faultOf, faultOfStatus, sourceFault, wasStale } = require('./faults');
const { Deadline, callerOf } = require('./limits');
const { settingsOfCall } = require('./options');
const { uploadOf } = require('./upload');

/** Methods that may be repeated whatever happened (RFC 9110, 9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/**
 * @param {object} job
 * @param {object} job.config as axios hands it to its adapter
 * @param {unknown} job.adapter what makes an attempt: a function, or what axios's `getAdapter` takes
 * @param {object} job.client
 * @param {import('./options').Settings} job.settings
 * @param {import('./adapters').Adapters} job.adapters
 * @param {import('./client-errors').ClientErrors} job.errors
 * @returns {Promise<object>} as an adapter's: the response, or a rejection with axios's error; both with `recovery`
 */
async function makeCall(job) {
  const { config, client, errors } = job;
  refuseOtherRetries(config);
  const { policy, total, onRequest } = settingsOfCall(config.unreset, job.settings);
  const request = new AxiosRequest(config, client);
  if (onRequest !== undefined) callOnRequest(onRequest, config.headers, { method: request.method, url: request.url });

  const caller = callerOf(config);
  const call = new PolicyCall(policy, request, { signal: caller.signal, total });
  const refused = call.begin();
  if (refused !== undefined) {
    caller.release();
    throw withRecovery(await errors.refused(refused, config), call.recovery);
  }
  return new Attempts(job, { policy, total, request, call, caller }).run();
}

/** axios-retry repeats a failed call by making it anew, with all of our attempts. It counts in the config. */
function refuseOtherRetries(config) {
  const other = config['axios-retry'];
  if (typeof other?.retryCount !== 'number' || other.retries === 0) return;
  throw invalidArgument('axios must be an instance without axios-retry: what both repeat is repeated sixteen times.');
}

class Attempts {
  #job;
  #policy;
  #total;
  #request;
  #call;
  #caller;
  #config;
  #upload;
  #deadline;

  constructor(job, { policy, total, request, call, caller }) {
    this.#job = job;
    this.#policy = policy;
    this.#total = total;
    this.#request = request;
    this.#call = call;
    this.#caller = caller;
    fixBoundary(job.config, (config) => job.adapters.isHttp(job.adapter, config));
    this.#config = new AttemptConfig(job.config);
    this.#upload = uploadOf(job.config.data, policy.retry.options.retries !== 0);
    this.#deadline = total === undefined ? undefined : new Deadline(caller.signal);
  }

  async run() {
    const call = this.#call;
    for (;;) {
      const outcome = await this.#attempt();
      const fault = outcome.response === undefined ? await this.#faultOf(outcome) : this.#judged(outcome.response);
      if (fault === undefined) {
        call.answered();
        return this.#end(outcome);
      }
      if (!(await this.#goesOn(outcome, fault))) return this.#end(outcome);
      discardBody(outcome.response);
      if (call.freshConnection) closeIdleConnections(outcome.error);
    }
  }

  /** @returns {Promise<Outcome>} */
  async #attempt() {
    const { adapters, adapter } = this.#job;
    try {
      const isAltered = this.#upload !== undefined || this.#deadline !== undefined;
      const config = this.#config.begin(isAltered ? await this.#alterations() : undefined);
      const response = await adapters.run(adapter, config);
      return { failed: false, response, error: undefined };
    } catch (error) {
      return this.#failure(error);
    } finally {
      this.#deadline?.stop();
    }
  }

  /** What the attempt gets in place of what is in the caller's config. */
  async #alterations() {
    const altered = {};
    const data = await this.#upload?.begin();
    if (data !== undefined) altered.data = data;
    if (this.#deadline !== undefined) {
      altered.signal = this.#deadline.signal;
      this.#deadline.start(this.#call.left);
    }
    return altered;
  }

  async #failure(error) {
    if (this.#deadline?.passed && !this.#caller.signal?.aborted) {
      const { errors, config } = this.#job;
      return { failed: true, response: undefined, error: await errors.timedOut(this.#total, config, error?.request) };
    }
    return { failed: true, response: wholeResponse(error), error };
  }

  async #faultOf({ failed, error }) {
    if (!failed) return undefined;
    const fault = await faultOf(error, this.#caller.signal);
    // It may look like a reset of ours: the source may be a connection, too.
    return this.#upload?.hasFailed && fault.kind !== 'aborted' ? sourceFault() : fault;
  }

  /** @returns {import('../../..').Fault | undefined} `undefined`: this is the answer */
  #judged(response) {
    const { status } = response;
    if (!Number.isInteger(status) || !this.#policy.judges(status)) return undefined;
    return faultOfStatus(response, IDEMPOTENT.has(this.#request.method));
  }

  async #goesOn(outcome, fault) {
    const bodyReplays = this.#upload === undefined || this.#upload.replays;
    const stale = outcome.failed && wasStale(outcome.error, fault);
    try {
      return await this.#call.failed(fault, { bodyReplays, stale });
    } catch (error) {
      // A hook threw: that is what the call ends with.
      discardBody(outcome.response);
      this.#release(true);
      throw withRecovery(error, this.#call.recovery);
    }
  }

  /** Gives what axios's own adapter would give: the response, or its error. */
  async #end({ failed, response, error }) {
    const { recovery } = this.#call;
    const thrown = failed && recovery.gaveUp === 'aborted' && !error?.__CANCEL__
      ? await this.#job.errors.canceled(this.#job.config)
      : error;
    this.#config.adopt(response);
    this.#config.adopt(thrown);
    this.#release(response === undefined && failed, response);
    if (failed) throw withRecovery(thrown, recovery);
    return withRecovery(response, recovery);
  }

  #release(gone, response) {
    this.#config.end();
    this.#upload?.end(gone);
    const release = () => {
      this.#caller.release();
      this.#deadline?.release();
    };
    // Whoever reads a stream may still abort, and behind a deadline axios hears of that from us.
    if (response === undefined || this.#deadline === undefined) release();
    if (response !== undefined) watchBody(response, this.#call, this.#deadline && release);
  }
}

/**
 * @typedef {object} Outcome of an attempt
 * @property {boolean} failed whether axios rejects
 * @property {object} [response] as a whole, also where axios rejects because of its status
 * @property {unknown} [error]
 *
 * The response that axios rejects because of its status. With a body that broke it puts a response on the error as well,
 * without data; a mock's response may have none either, and nothing but its status.
 */
function wholeResponse(error) {
  const response = error?.response;
  return response?.data !== undefined || response?.status >= 400 ? response : undefined;
}

module.exports = { makeCall };

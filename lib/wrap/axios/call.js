'use strict';

/** One call of a wrapped axios: attempts by the adapter below, until one is the answer or the policy ends it. */

const { unlessAborted } = require('../../abort');
const { PolicyCall } = require('../../policy/call');
const { callOnRequest } = require('../../policy/on-request');
const { withRecovery } = require('../../policy/recovery');
const { invalidArgument } = require('../../validate');
const { discard } = require('../discard');
const { watchBody } = require('./answer-body');
const { attemptConfigOf } = require('./attempt-config');
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
 * @throws {TypeError | RangeError} on options of the call that are not valid
 */
function makeCall(job) {
  const { config, client } = job;
  refuseOtherRetries(config);
  const settings = settingsOfCall(config.unreset, job.settings);
  const request = new AxiosRequest(config, client);
  const { onRequest } = settings;
  if (onRequest !== undefined) callOnRequest(onRequest, config.headers, { method: request.method, url: request.url });
  return new Attempts(job, settings, request).run();
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
  #caller;
  #call;
  #config;
  #upload;
  #deadline;

  constructor(job, { policy, total }, request) {
    const { config } = job;
    this.#job = job;
    this.#policy = policy;
    this.#total = total;
    this.#request = request;
    this.#caller = callerOf(config);
    this.#call = new PolicyCall(policy, request, { signal: this.#caller.signal, total });
    fixBoundary(config, () => job.adapters.isHttp(job.adapter, config));
    this.#config = attemptConfigOf(config, job.adapters.isOfAxios(job.adapter));
    this.#upload = uploadOf(config.data, policy.retry.options.retries !== 0);
    this.#deadline = total === undefined ? undefined : new Deadline(this.#caller.signal);
  }

  /** Most calls go through here once, and nearly all that a wrapped call costs is spent here: one wait, and no more. */
  async run() {
    const call = this.#call;
    const refused = call.begin();
    if (refused !== undefined) throw await this.#refuse(refused);
    for (;;) {
      let outcome;
      try {
        outcome = { failed: false, response: await this.#attempt(), error: undefined };
      } catch (error) {
        outcome = await this.#failure(error);
      }
      this.#upload?.suspend();
      const fault = outcome.response === undefined ? await this.#faultOf(outcome) : this.#judged(outcome.response);
      if (fault === undefined) call.answered();
      if (fault === undefined || !(await this.#goesOn(outcome, fault))) {
        if (outcome.failed) throw await this.#errorOf(outcome);
        return this.#answer(outcome);
      }
      await discard(outcome.response?.data);
      if (call.freshConnection) closeIdleConnections(outcome.error);
    }
  }

  #attempt() {
    if (this.#upload !== undefined || this.#deadline !== undefined) return this.#alteredAttempt();
    const { adapters, adapter } = this.#job;
    return adapters.run(adapter, this.#config.begin());
  }

  #alteredAttempt() {
    const attempt = async () => {
      const { adapters, adapter } = this.#job;
      return adapters.run(adapter, this.#config.begin(await this.#alterations()));
    };
    return this.#deadline === undefined ? attempt() : this.#deadline.limit(attempt, this.#call.left, discardLate);
  }

  /** What the attempt gets in place of what is in the caller's config. */
  async #alterations() {
    const signal = this.#deadline?.signal ?? this.#caller.signal;
    const altered = this.#deadline === undefined ? {} : { signal };
    // What opens it may take its time, and knows of no signal.
    const data = this.#upload && await unlessAborted(this.#upload.begin(), signal);
    if (data !== undefined) altered.data = data;
    return altered;
  }

  /** @returns {Promise<Outcome>} */
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
      await discard(outcome.response?.data);
      this.#release(true);
      throw withRecovery(error, this.#call.recovery);
    }
  }

  #answer({ response }) {
    const { recovery } = this.#call;
    this.#config.adopt(response);
    this.#release(false, response);
    return withRecovery(response, recovery);
  }

  async #errorOf({ response, error }) {
    const { recovery } = this.#call;
    const { errors, config } = this.#job;
    if (recovery.gaveUp !== 'aborted' || error?.__CANCEL__) {
      this.#config.adopt(response);
      this.#config.adopt(error);
      this.#release(response === undefined, response);
      return withRecovery(error, recovery);
    }
    // Nobody gets the response that was there before the wait.
    await discard(response?.data);
    this.#release(true);
    return withRecovery(await errors.canceled(config), recovery);
  }

  async #refuse(fault) {
    const { errors, config } = this.#job;
    const error = await errors.refused(fault, config);
    this.#release(true);
    return withRecovery(error, this.#call.recovery);
  }

  /** The call is over; `gone`: nobody has its request body any more. */
  #release(gone, response) {
    this.#config.end();
    this.#upload?.end(gone);
    if (this.#deadline === undefined || response === undefined) {
      this.#letGo();
      if (response !== undefined) watchBody(response, this.#call);
    } else {
      // Whoever reads a stream may still abort it, and behind a deadline axios hears of that from us.
      watchBody(response, this.#call, () => this.#letGo());
    }
  }

  #letGo() {
    this.#caller.release();
    this.#deadline?.release();
  }
}

/**
 * @typedef {object} Outcome of an attempt
 * @property {boolean} failed whether the adapter rejected
 * @property {object} [response] as a whole, also where axios rejects because of its status
 * @property {unknown} [error]
 */

/**
 * The response that axios rejects because of its status. With a body that broke it puts a response on the error as well,
 * without data; that of a mock may have none either, and nothing but its status.
 */
function wholeResponse(error) {
  const response = error?.response;
  return response?.data !== undefined || response?.status >= 400 ? response : undefined;
}

function discardLate(response) {
  return discard(response?.data);
}

module.exports = { makeCall };

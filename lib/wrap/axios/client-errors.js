'use strict';

/**
 * Errors that axios would throw and has had no occasion to: an abort between two attempts, the end of the whole call, a
 * breaker that refuses. Programs tell them apart by class and code, so they are axios's own.
 */

const { FaultError } = require('../../errors');
const { siblingOf } = require('./adapters');

class ClientErrors {
  #client;
  #classes;

  constructor(client) {
    this.#client = client;
  }

  /** The caller aborted while no attempt was running. */
  async canceled(config) {
    // A token has its error ready; axios throws the same one.
    if (config.cancelToken?.reason) return config.cancelToken.reason;
    const { CanceledError } = await this.#find();
    return new CanceledError(null, config);
  }

  /** The whole call has taken as long as it may. Code and words are those of axios's own `timeout`. */
  async timedOut(total, config, request) {
    const { AxiosError } = await this.#find();
    const code = config.transitional?.clarifyTimeoutError ? 'ETIMEDOUT' : 'ECONNABORTED';
    return new AxiosError(config.timeoutErrorMessage || `timeout of ${total}ms exceeded`, code, config, request);
  }

  /** As for a connection that is refused: the fault is the cause. */
  async refused(fault, config) {
    const { AxiosError } = await this.#find();
    const cause = new FaultError(fault);
    const error = new AxiosError(cause.message, fault.code, config);
    // Not enumerable, as axios has it: loggers walk what is.
    return Object.defineProperty(error, 'cause', { value: cause, writable: true, configurable: true });
  }

  /** The default export has the classes; an instance shows them in what it throws. */
  async #find() {
    const { AxiosError, CanceledError } = this.#client;
    if (typeof AxiosError === 'function' && typeof CanceledError === 'function') return { AxiosError, CanceledError };
    this.#classes ??= classesThrownBy(siblingOf(this.#client));
    return this.#classes;
  }
}

/** Nothing leaves: axios looks at the signal first. */
async function classesThrownBy(sibling) {
  const canceled = await sibling.request({ url: '', signal: AbortSignal.abort() }).catch((error) => error);
  const CanceledError = canceled.constructor;
  return { CanceledError, AxiosError: Object.getPrototypeOf(CanceledError.prototype).constructor };
}

module.exports = { ClientErrors };

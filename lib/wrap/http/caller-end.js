'use strict';

/**
 * Whether the caller has ended the request: by `destroy`, `abort` or its signal, which are all one here.
 *
 * It has what is needed of an AbortSignal to end the wait between two attempts. A real one costs more than all the
 * rest of a request's bookkeeping, and nearly no request is ended.
 */
class CallerEnd {
  aborted = false;
  /** The error that the request ends with. */
  reason = undefined;
  #listener;

  end(reason) {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    this.#listener?.();
  }

  /** One wait at a time listens. */
  addEventListener(type, listener) {
    this.#listener = listener;
  }

  removeEventListener() {
    this.#listener = undefined;
  }
}

module.exports = { CallerEnd };

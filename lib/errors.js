'use strict';

/**
 * Where the errors of the native clients are made.
 *
 * What a caller catches has the shape of the built-in fetch's errors (a `TypeError` with a `cause`), and tells
 * more: `code` on both, what is known of the fault on the cause, and what was tried in `recovery`.
 */

const FAULT_FIELDS = [
  'code', 'kind', 'phase', 'delivery', 'transient', 'reconnect', 'ending', 'errno', 'syscall', 'address', 'port',
  'status', 'retryAfter', 'detail',
];

/** A fault as an Error: the fields of the fault are its own. */
class FaultError extends Error {
  /** @param {import('..').Fault} fault */
  constructor(fault) {
    const peer = fault.address && (fault.port ? `${fault.address}:${fault.port}` : fault.address);
    super(`${[fault.syscall, fault.code, peer].filter(Boolean).join(' ')}: ${fault.reason}`);
    for (const field of FAULT_FIELDS) {
      if (fault[field] !== undefined) this[field] = fault[field];
    }
    /** One plain sentence to act on. */
    this.reason = fault.reason;
  }
}
// On the prototype, as for the built-in classes, so that it is not listed among the error's own fields.
Object.defineProperty(FaultError.prototype, 'name', { value: 'FaultError', configurable: true, writable: true });

/**
 * What a failed call is rejected with.
 *
 * @param {string} message 'fetch failed' or 'terminated' (a broken body), as the built-in fetch says it, or what is
 *   wrong with the input
 * @param {import('..').Fault} fault
 * @param {import('..').Recovery} recovery
 * @param {{ stack?: string }} calledAt holds the stack of the call
 */
function callError(message, fault, recovery, calledAt) {
  const cause = withStack(new FaultError(fault), calledAt);
  const error = withStack(new TypeError(message, { cause }), calledAt);
  error.code = fault.code;
  error.recovery = recovery;
  return error;
}

/** What a call is rejected with when its request body could not be read. */
function bodySourceError(cause, recovery, calledAt) {
  const error = withStack(new TypeError('fetch failed', { cause }), calledAt);
  if (typeof cause?.code === 'string') error.code = cause.code;
  error.recovery = recovery;
  return error;
}

/** The frames of where the call was made: those of the event loop, where the error is made, say nothing. */
function withStack(error, calledAt) {
  const frames = calledAt.stack?.indexOf('\n') ?? -1;
  const stack = frames === -1 ? String(error) : String(error) + calledAt.stack.slice(frames);
  Object.defineProperty(error, 'stack', { value: stack, writable: true, configurable: true });
  return error;
}

module.exports = { FaultError, callError, bodySourceError };

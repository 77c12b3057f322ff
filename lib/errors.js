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

/** In the words of the built-in fetch, which has no code for them: programs match on these. */
const KNOWN_MESSAGES = { ERR_BAD_PORT: 'bad port' };

/** A fault as an Error: the fields of the fault are its own. */
class FaultError extends Error {
  /**
   * @param {import('..').Fault} fault
   * @param {unknown} [cause] what the caller's own code threw, where that is behind it
   */
  constructor(fault, cause) {
    const peer = fault.address && (fault.port ? `${fault.address}:${fault.port}` : fault.address);
    super(KNOWN_MESSAGES[fault.code] ?? `${[fault.syscall, fault.code, peer].filter(Boolean).join(' ')}: ${fault.reason}`, cause === undefined ? undefined : { cause });
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
 * How a call failed, until somebody who waits for it is told.
 *
 * The answer arrives on the event loop, where the stack says nothing about who called. To note the stack of every
 * call beforehand costs about as much as the rest of the call (Node 20: about 20 us instead of 10). So the error itself is made by {@link toThrow}, in the async
 * function that the caller awaits: there V8 knows the callers, at no cost to calls that succeed.
 */
class CallFailure {
  /**
   * @param {string} message 'fetch failed' or 'terminated' (a broken body), as the built-in fetch says it, or what is
   *   wrong with the input
   * @param {import('..').Recovery} recovery
   * @param {{ fault?: import('..').Fault, source?: unknown }} why a fault, what the caller's own code
   *   failed with (the request body's source), or both (`lookup`)
   */
  constructor(message, recovery, { fault, source }) {
    this.message = message;
    this.recovery = recovery;
    this.fault = fault;
    this.source = source;
  }

  toError() {
    const cause = this.fault === undefined ? this.source : new FaultError(this.fault, this.source);
    const error = new TypeError(this.message, { cause });
    if (typeof cause?.code === 'string') error.code = cause.code;
    error.recovery = this.recovery;
    return error;
  }
}

/**
 * What to throw for how a call failed: an error with the stack of those who await it. Anything else, such as the
 * reason of an abort, is thrown as it is.
 *
 * @param {unknown} failure
 * @param {Function} entry what the caller called: the stack begins below it
 * @param {{ stack?: string }} [askedAt] holds the stack to show, where the caller does not await this
 */
function toThrow(failure, entry, askedAt) {
  if (!(failure instanceof CallFailure)) return failure;
  const error = failure.toError();
  Error.captureStackTrace(error, entry);
  const frames = framesOf(askedAt ?? error);
  if (askedAt !== undefined) setStack(error, frames);
  if (error.cause instanceof FaultError) setStack(error.cause, frames);
  return error;
}

/** Nothing, where somebody has switched stacks off (`Error.stackTraceLimit`) or made them something else. */
function framesOf({ stack }) {
  const start = typeof stack === 'string' ? stack.search(/\n\s+at /) : -1;
  return start === -1 ? '' : stack.slice(start);
}

function setStack(error, frames) {
  Object.defineProperty(error, 'stack', { value: `${error}${frames}`, writable: true, configurable: true });
}

module.exports = { FAULT_FIELDS, FaultError, CallFailure, toThrow };

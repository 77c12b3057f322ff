'use strict';

/**
 * Calls that an AbortSignal ends.
 *
 * A signal that lives as long as the program may watch over thousands of calls. It gets one listener for all of
 * them, removed with the last: no listener is left behind, and Node does not warn of a leak that is none.
 */

/** @type {WeakMap<AbortSignal, { calls: Set<{ abort(reason: unknown): void }>, onAbort(): void }>} */
const watched = new WeakMap();

/** From now on the signal ends the call by `call.abort(reason)`. */
function watch(signal, call) {
  let entry = watched.get(signal);
  if (entry === undefined) {
    const calls = new Set();
    entry = {
      calls,
      onAbort() {
        watched.delete(signal);
        for (const each of calls) each.abort(reasonOf(signal));
      },
    };
    watched.set(signal, entry);
    signal.addEventListener('abort', entry.onAbort, { once: true });
  }
  entry.calls.add(call);
}

/** The call has ended: the signal does not concern it any more. */
function unwatch(signal, call) {
  const entry = watched.get(signal);
  if (entry === undefined || !entry.calls.delete(call) || entry.calls.size > 0) return;
  watched.delete(signal);
  signal.removeEventListener('abort', entry.onAbort);
}

/** Polyfills of AbortSignal have no reason to give. */
function reasonOf(signal) {
  return signal.reason === undefined ? new DOMException('This operation was aborted', 'AbortError') : signal.reason;
}

module.exports = { watch, unwatch, reasonOf };

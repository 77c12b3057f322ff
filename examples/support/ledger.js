'use strict';

/** What a service has done: the demos show by it whether anything was done twice. */

/**
 * @returns {{ enter(what: string, key?: string): void, duplicates(): number }}
 *   `enter` notes a piece of work, unless an `Idempotency-Key` was seen before; `duplicates` is how much was done more
 *   often than once.
 */
function ledger() {
  const done = new Map();
  const keys = new Set();
  return {
    enter(what, key) {
      if (key && keys.has(key)) return;
      if (key) keys.add(key);
      done.set(what, (done.get(what) ?? 0) + 1);
    },
    duplicates: () => [...done.values()].reduce((sum, times) => sum + times - 1, 0),
  };
}

module.exports = { ledger };

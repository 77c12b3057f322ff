'use strict';

/**
 * Breakers that native clients open and close, on network threads: native code says by a number that there is something to
 * tell, and what it is gets told here.
 */

const engine = require('./engine');

/** Policies that are gone have nothing to tell any more. */
const gone = new FinalizationRegistry((entry) => engine.forget(entry));

/** Whose changes are waited for already: the listeners of a policy, which all that is made from it shares. */
const watched = new WeakSet();

/** @param {import('../policy/policy').Policy} policy */
function watchBreakers(policy) {
  const { hub } = policy;
  if (watched.has(hub)) return;
  watched.add(hub);
  const entry = new Entry(policy);
  engine.open(entry);
  // The hub and not the policy, which may be one of several and go before the others.
  gone.register(hub, entry);
  policy.native.watch(engine.nativeEngine(), entry.id);
}

/** What the engine knows. It must keep neither a policy nor its listeners alive. */
class Entry {
  #hub;
  #native;

  constructor({ hub, native }) {
    this.id = 0;
    this.waiting = false;
    this.#hub = new WeakRef(hub);
    this.#native = native;
  }

  onBreaker() {
    const hub = this.#hub.deref();
    if (hub !== undefined) hub.tellOfBreakers(this.#native);
  }

  /** Nothing that it does is worth ending it. */
  abort() {}
}

module.exports = { watchBreakers };

'use strict';

/**
 * The caller's own `lookup`, asked by native code whenever a connection needs the addresses of a name.
 *
 * It is shared by the calls of a client and belongs to none of them: a connection may outlive the call that it was
 * begun for. So it runs in no caller's async context, and what it fails with is kept by the name of the host, for the
 * calls that are going to fail of it.
 */

const { isIP } = require('node:net');
const engine = require('../engine/engine');
const { classify } = require('../fault');

/** What `net.connect` asks for when it may try several addresses. */
const OPTIONS = { all: true, family: 0, hints: 0 };

/** Hosts whose last failure is kept, beyond which the oldest is forgotten. */
const MOST_FAILURES = 100;

/** Functions that are gone need not be found any more. */
const gone = new FinalizationRegistry((entry) => engine.forget(entry));

class Lookups {
  #lookup;
  /** @type {Map<string, { code: string, error: unknown }>} the last failure of each host */
  #failures = new Map();

  /** @param {import('../..').LookupFunction} lookup */
  constructor(lookup) {
    this.#lookup = lookup;
    const entry = new Entry(this);
    engine.open(entry);
    gone.register(this, entry);
    /** Under which native code asks. */
    this.number = entry.id;
  }

  /** Asks for the addresses of a host. The first answer counts, and so does whatever is thrown. */
  ask(number, host) {
    let isAnswered = false;
    const callback = (error, addresses) => {
      if (isAnswered) return;
      isAnswered = true;
      this.#answer(number, host, error, addresses);
    };
    // Not as a method of this object.
    const lookup = this.#lookup;
    try {
      const returned = lookup(host, { ...OPTIONS }, callback);
      if (typeof returned?.then !== 'function') return;
      // An async function may call back all the same, and resolves with nothing then.
      returned.then((addresses) => addresses === undefined || callback(null, addresses), callback);
    } catch (error) {
      callback(error);
    }
  }

  /** What the caller's function threw, if that is what a call failed of. */
  errorBehind(fault) {
    const failure = fault.phase === 'resolve' ? this.#failures.get(fault.address) : undefined;
    return failure?.code === fault.code ? failure.error : undefined;
  }

  #answer(number, host, error, given) {
    let failed = error;
    if (!failed) {
      try {
        engine.nativeEngine().answerLookup(number, addressesIn(given, host).join('\n'));
        this.#failures.delete(host);
        return;
      } catch (wrong) {
        failed = wrong;
      }
    }
    const failure = failureOf(failed);
    this.#keep(host, failure.code, failed);
    engine.nativeEngine().answerLookup(number, undefined, JSON.stringify(failure));
  }

  #keep(host, code, error) {
    // Anew, so that it is the youngest.
    this.#failures.delete(host);
    this.#failures.set(host, { code, error });
    if (this.#failures.size > MOST_FAILURES) this.#failures.delete(this.#failures.keys().next().value);
  }
}

/**
 * A function's place among what native code can reach. It does not keep the function: the client does, and each of its
 * calls keeps the client, so a function that is gone is one that nobody waits for.
 */
class Entry {
  constructor(lookups) {
    this.id = 0;
    this.waiting = false;
    this.lookups = new WeakRef(lookups);
  }

  onLookup(number, host) {
    this.lookups.deref()?.ask(number, host);
  }
}

/** The answer of a lookup that went wrong by itself. */
class LookupAnswerError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/**
 * The addresses in an answer: an array, or one of them, each a string or `{ address }`. What nobody can connect to is
 * passed over as long as there is something else, as in `net.connect`; an address with a zone (`fe80::1%eth0`) counts
 * among it, for the zone is lost on the way.
 */
function addressesIn(given, host) {
  const all = (Array.isArray(given) ? given : [given]).map(addressOf);
  if (all.length === 0) throw new LookupAnswerError('ENOTFOUND', `The lookup option gave no address for ${host}.`);
  const usable = all.filter((address) => isIP(address) !== 0 && !address.includes('%'));
  if (usable.length === 0) {
    const shown = String(typeof all[0] === 'string' ? JSON.stringify(all[0]) : typeof all[0]);
    throw new LookupAnswerError('ERR_INVALID_IP_ADDRESS', `The lookup option must give IP addresses; for ${host} it gave ${shown}.`);
  }
  return usable;
}

function addressOf(given) {
  return typeof given === 'object' && given !== null ? given.address : given;
}

/** What `src/node/lookup.rs` reads. */
function failureOf(error) {
  const { code, kind, errno, syscall = 'lookup', detail, reason } = classify(error);
  const message = detail ?? reason;
  // The reasons of other kinds speak of the server that was called.
  const own = error instanceof LookupAnswerError ? message : `The lookup option failed: ${message}`;
  return { code, errno, syscall, reason: kind === 'dns' && !(error instanceof LookupAnswerError) ? undefined : own, message };
}

module.exports = { Lookups };

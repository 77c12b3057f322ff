'use strict';

/**
 * `retry(fn)`: the policy for whatever returns a promise, a driver or an SDK as well as a function of one's own.
 *
 * To call it is to declare that `fn` may be repeated: nobody else can know. What `fn` rejects with is classified like
 * everything else, so a bug's TypeError ends it at once and a reset does not.
 */

const { reasonOf, unwatch, watch } = require('../abort');
const { FaultError } = require('../errors');
const { classify } = require('../fault');
const { checkBoolean, checkFunction, checkSignal, invalidType } = require('../validate');
const { PolicyCall } = require('./call');
const { parseRetryOptions } = require('./options');
const { Policy } = require('./policy');
const { withRecovery } = require('./recovery');
const { isPolicy, policyOf, retryOptionsOf } = require('./retry-policy');

/** Options of this function beside those of the policy. */
const OWN = Object.freeze(['signal', 'idempotent', 'origin', 'policy']);

/** Without options. */
const USUAL = Object.freeze({ policy: undefined, retry: parseRetryOptions(), signal: undefined, declared: true, origin: '' });

/**
 * @template T
 * @param {(context: import('../..').RetryFunctionContext) => T | PromiseLike<T>} fn
 * @param {import('../..').RetryFunctionOptions | import('../..').RetryPolicy | number | false} [options]
 * @returns {Promise<Awaited<T>>}
 */
function retry(fn, options) {
  try {
    checkFunction(fn, 'fn');
    return callUntilAnswered(fn, parseOptions(options));
  } catch (error) {
    return Promise.reject(error);
  }
}

/**
 * A function that calls `fn` with its own arguments, and `this`, and repeats it.
 *
 * @param {Function} fn
 * @param {import('../..').RetryFunctionOptions | import('../..').RetryPolicy | number | false} [options]
 */
retry.wrap = function wrap(fn, options) {
  checkFunction(fn, 'fn');
  const parsed = parseOptions(options);
  // Its calls share the policy, so they are counted.
  const shared = { ...parsed, policy: parsed.policy ?? new Policy(parsed.retry) };
  return function retried(...args) {
    return callUntilAnswered(() => fn.apply(this, args), shared);
  };
};

async function callUntilAnswered(fn, { policy, retry: options, signal, declared, origin }) {
  if (signal?.aborted) throw reasonOf(signal);
  const call = new PolicyCall(policy ?? Policy.ofOneCall(options), { surface: 'retry', origin, declared }, { signal });
  const refused = call.begin();
  if (refused !== undefined) throw withRecovery(new FaultError(refused), call.recovery);
  let lastFault;
  for (;;) {
    let error;
    try {
      const running = fn(new Context(call.attempt, signal, lastFault));
      const value = await (signal === undefined ? running : orAborted(running, signal));
      call.answered();
      return value;
    } catch (thrown) {
      error = thrown;
    }
    lastFault = classify(error, { signal });
    if (await call.failed(lastFault)) continue;
    // The reason may end a thousand calls: nothing is put on it.
    const { recovery } = call;
    if (recovery.gaveUp === 'aborted' && signal?.aborted) throw reasonOf(signal);
    throw withRecovery(error, recovery);
  }
}

/** What `fn` comes to, or the abort that comes first: then nobody waits for `fn` any longer. */
function orAborted(running, signal) {
  return new Promise((resolve, reject) => {
    const waiting = { abort: reject };
    watch(signal, waiting);
    Promise.resolve(running).finally(() => unwatch(signal, waiting)).then(resolve, reject);
    // `fn` itself may have caused it.
    if (signal.aborted) reject(reasonOf(signal));
  });
}

/** What `fn` is given. */
class Context {
  #signal;

  constructor(attempt, signal, lastFault) {
    this.attempt = attempt;
    this.lastFault = lastFault;
    this.#signal = signal;
  }

  /** There for whoever wants to hand it on; where the caller has none, it is made then. */
  get signal() {
    return (this.#signal ??= new AbortController().signal);
  }
}

/** @throws {TypeError | RangeError} which name the option and what is accepted */
function parseOptions(options) {
  if (options === undefined) return USUAL;
  const { own, rest } = split(options);
  const origin = own.origin ?? '';
  if (typeof origin !== 'string') throw invalidType('options.origin', 'a string', origin);
  return {
    ...policyOrOptions(own.policy, rest),
    signal: own.signal === undefined || own.signal === null ? undefined : checkSignal(own.signal, 'options.signal'),
    declared: own.idempotent === undefined ? true : checkBoolean(own.idempotent, 'options.idempotent'),
    origin,
  };
}

/** A policy to share, where there is one; otherwise what each call makes its own of. */
function policyOrOptions(given, rest) {
  if (given !== undefined) return { policy: policyOf(rest, 'options', policyOf(given, 'options.policy')) };
  return isPolicy(rest) ? { policy: policyOf(rest, 'options') } : { retry: retryOptionsOf(rest, 'options') };
}

/** The options of this function, and those that every surface takes. */
function split(options) {
  const own = {};
  if (typeof options !== 'object' || options === null || !OWN.some((name) => name in options)) return { own, rest: options };
  const rest = { ...options };
  for (const name of OWN) {
    if (name in options) own[name] = options[name];
    delete rest[name];
  }
  return { own, rest };
}

module.exports = { retry };

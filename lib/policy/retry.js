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
const { withRecovery } = require('./recovery');
const { policyOf } = require('./retry-policy');

/** Options of this function beside those of the policy. */
const OWN = Object.freeze(['signal', 'idempotent', 'origin', 'policy']);

/**
 * @template T
 * @param {(context: import('../..').RetryFunctionContext) => T | PromiseLike<T>} fn
 * @param {import('../..').RetryFunctionOptions | import('../..').RetryPolicy | number | false} [options]
 * @returns {Promise<Awaited<T>>}
 */
async function retry(fn, options) {
  checkFunction(fn, 'fn');
  return attempt(fn, parseOptions(options));
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
  return async function retried(...args) {
    return attempt(() => fn.apply(this, args), parsed);
  };
};

async function attempt(fn, { policy, signal, declared, origin }) {
  if (signal?.aborted) throw reasonOf(signal);
  const call = new PolicyCall(policy, { surface: 'retry', origin, declared }, { signal });
  const refused = call.begin();
  if (refused !== undefined) throw withRecovery(new FaultError(refused), call.recovery);
  let lastFault;
  for (;;) {
    const ended = await outcome(fn, contextOf(call, signal, lastFault), signal);
    if (!ended.failed) {
      call.answered();
      return ended.value;
    }
    lastFault = classify(ended.error, { signal });
    if (await call.failed(lastFault)) continue;
    throw withRecovery(signal?.aborted ? reasonOf(signal) : ended.error, call.recovery);
  }
}

/** What `fn` came to, or the abort that came first: then nobody waits for `fn` any longer. */
async function outcome(fn, context, signal) {
  try {
    const running = fn(context);
    return { failed: false, value: await (signal === undefined ? running : orAborted(running, signal)) };
  } catch (error) {
    return { failed: true, error };
  }
}

function orAborted(running, signal) {
  return new Promise((resolve, reject) => {
    const waiting = { abort: reject };
    watch(signal, waiting);
    Promise.resolve(running).finally(() => unwatch(signal, waiting)).then(resolve, reject);
    // `fn` itself may have caused it.
    if (signal.aborted) reject(reasonOf(signal));
  });
}

/** The signal is there for whoever wants to hand it on, and made only then where the caller has none. */
function contextOf(call, signal, lastFault) {
  let given = signal;
  return {
    attempt: call.attempt,
    get signal() {
      return (given ??= new AbortController().signal);
    },
    lastFault,
  };
}

/** @throws {TypeError | RangeError} which name the option and what is accepted */
function parseOptions(options) {
  const { own, rest } = split(options);
  const under = own.policy === undefined ? undefined : policyOf(own.policy, 'options.policy');
  const origin = own.origin ?? '';
  if (typeof origin !== 'string') throw invalidType('options.origin', 'a string', origin);
  return {
    policy: policyOf(rest, 'options', under),
    signal: own.signal === undefined || own.signal === null ? undefined : checkSignal(own.signal, 'options.signal'),
    declared: own.idempotent === undefined ? true : checkBoolean(own.idempotent, 'options.idempotent'),
    origin,
  };
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

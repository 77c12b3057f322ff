'use strict';

/**
 * What went wrong, in one vocabulary for every client.
 *
 * JavaScript reads what was thrown (`evidence.js`), Rust judges it (`src/fault/`): the native clients and the
 * wrappers of other clients obey the same rules.
 */

const native = require('../native');
const { collectEvidence } = require('./evidence');
const { parseContext } = require('./context');

/**
 * Says what went wrong. Never throws for what was thrown, whatever that is; what is not recognised is
 * `kind: 'unknown'`. Responses are judged by their status.
 *
 * @param {unknown} anything
 * @param {import('../..').FaultContext} [context] what the caller knows and the error does not say. With `signal`, the
 *   reason of that signal is an abort, whatever it looks like.
 * @returns {Readonly<import('../..').Fault>}
 * @throws {TypeError} for a context that is not valid
 *
 * @example
 * const fault = classify(error);
 * if (fault.transient && fault.delivery === 'not-sent') return again();
 */
function classify(anything, context) {
  const { phase, delivery, signal } = parseContext(context);
  const evidence = { links: collectEvidence(anything, signal), phase, delivery, signalAborted: signal?.aborted };
  return Object.freeze(JSON.parse(native.classifyEvidence(JSON.stringify(evidence))));
}

/** Whether the same call would plausibly succeed later. */
function isTransient(anything) {
  return classify(anything).transient;
}

/** Whether the peer ended the connection while a call was outstanding, by RST or by FIN. */
function isReset(anything) {
  return classify(anything).kind === 'reset';
}

/**
 * What a code means, what usually causes it and what to do: the text of `docs/faults.md`.
 *
 * @param {string} code
 * @returns {import('../..').Explanation | undefined} `undefined` for a code that is not in the reference
 *
 * @example
 * console.log(explain('ECONNRESET').action);
 */
function explain(code) {
  const entry = typeof code === 'string' ? native.explainCode(code) : null;
  return entry === null ? undefined : JSON.parse(entry);
}

module.exports = { classify, isTransient, isReset, explain };

'use strict';

/**
 * What a persistent connection itself fails with. Each is made anew for whoever is told: `recovery` is put on it, and that
 * is not the same for any two.
 */

const { FaultError } = require('../errors');
const { explain } = require('../fault');
const { faultOfCode } = require('../fault/of-code');

/** @param {'not-sent' | 'unknown'} [delivery] unknown: something was running when the time to close had passed */
function closedError(delivery = 'not-sent') {
  return new FaultError(faultOfCode('ERR_PERSISTENT_CLOSED', { delivery }));
}

function fullError() {
  return new FaultError(faultOfCode('ERR_PERSISTENT_WAITING'));
}

function openTransactionError() {
  return new FaultError(faultOfCode('ERR_TRANSACTION_OPEN'));
}

/**
 * Nobody waits for a connection for ever.
 *
 * @param {number} patience ms, the whole of it
 * @param {Error | undefined} last what the latest attempt to connect failed with
 * @param {import('../..').Fault | undefined} fault the same, classified
 */
function noConnectionError(patience, last, fault) {
  const ended = fault && `the last attempt ended with ${fault.code}: ${fault.reason}`;
  const reason = `There was no connection within ${Math.round(patience)} ms; ${ended ?? 'none has been made so far.'}`;
  return new FaultError(faultOfCode('ETIMEDOUT', { phase: 'connect', delivery: 'not-sent', reason }), last);
}

/**
 * The pool hands out nothing. Whether all are in use or one is being made cannot be seen: its own limits tell that.
 *
 * @param {number} patience ms
 */
function poolBusyError(patience) {
  const reason = `No connection of the pool came free, or could be made, within ${Math.round(patience)} ms.`;
  return new FaultError(faultOfCode('ETIMEDOUT', { phase: 'connect', delivery: 'not-sent', reconnect: false, reason }));
}

/** No further attempt is made to connect: the last one's fault, for one of those who waited. */
function notConnectedError(error, fault) {
  return new FaultError({ ...fault, delivery: 'not-sent' }, error);
}

/** @param {number} limit ms, of a connection that is being made, or of a ping */
function tooSlowError(limit, what, phase) {
  const reason = `${what} did not come to an end within ${limit} ms.`;
  return new FaultError(faultOfCode('ETIMEDOUT', { phase, delivery: phase === 'connect' ? 'not-sent' : 'unknown', reason }));
}

/** @param {boolean} hasBegun whether the function was running */
function outOfTimeError(limit, hasBegun) {
  const [phase, delivery] = hasBegun ? ['wait', 'unknown'] : ['connect', 'not-sent'];
  const reason = hasBegun
    ? `The call took longer than its timeout of ${limit} ms. What it had sent may have been done.`
    : `The call's timeout of ${limit} ms passed before there was a connection for it.`;
  return new FaultError(faultOfCode('ETIMEDOUT', { phase, delivery, reason }));
}

/** For a call that would never hear of the end of its connection. */
function lostError(fault) {
  return new FaultError({
    ...faultOfCode('ECONNRESET'),
    ...fault,
    phase: 'wait',
    delivery: 'unknown',
    transient: true,
    reconnect: true,
    reason: 'The connection was lost while the call waited for its answer. What it had sent may have been done.',
  });
}

/** @param {import('../..').Fault} fault of a kind that nobody knows, which was the end of its connection */
function deathOf(fault) {
  const { kind, transient, reconnect, meaning: reason } = explain('ECONNRESET');
  const code = fault.code === 'UNKNOWN' ? 'ECONNRESET' : fault.code;
  return Object.freeze({ ...fault, code, kind, transient, reconnect, reason });
}

/**
 * Where an error says that nothing was sent, and that is not known of the whole function.
 *
 * @param {import('../..').Fault} fault
 */
function unproven(fault) {
  if (fault.delivery !== 'not-sent') return fault;
  return Object.freeze({ ...fault, delivery: 'unknown', reason: `${fault.reason} What the function did before may have been done.` });
}

/** Phases of what is sent over a connection that there is. */
const LATER = Object.freeze(['send', 'wait', 'receive', 'idle']);

/**
 * Before there was a connection to send anything over. What looks like the failure of a request was that of the greeting.
 *
 * @param {(error: unknown, context: object) => import('../..').Fault} faultOf
 * @param {unknown} error
 * @param {AbortSignal} [signal] of the caller
 */
function connectFault(faultOf, error, signal) {
  const fault = faultOf(error, { delivery: 'not-sent', signal });
  return LATER.includes(fault.phase) ? Object.freeze({ ...fault, phase: 'handshake' }) : fault;
}

module.exports = {
  closedError, connectFault, deathOf, fullError, lostError, noConnectionError, notConnectedError,
  openTransactionError, outOfTimeError, poolBusyError, tooSlowError, unproven,
};

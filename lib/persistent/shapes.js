'use strict';

/**
 * Errors of drivers that `classify` does not know yet. Each driver's file has its table; when the classifier has learned a
 * shape (`src/fault/shapes/`), its row is to go, and this file with the last one.
 */

const { classify } = require('../fault');
const { faultOfCode } = require('../fault/of-code');

const NAMELESS = 'ECONNRESET';

/**
 * @typedef {[code: string, known: Partial<import('../..').Fault>]} Shape a code of the catalogue, or one that says what it
 *   is, and what is different here
 *
 * @param {(error: any) => Shape | undefined} shapeOf
 * @returns {typeof classify}
 */
function knowing(shapeOf) {
  return function faultOf(error, context = {}) {
    const shape = context.signal?.aborted ? undefined : shapeOf(Object(error));
    if (shape === undefined) return classify(error, context);
    const [code, known] = shape;
    const { phase, delivery } = context;
    return Object.freeze({
      ...faultOfCode(code, { code: known.code ?? code, detail: String(error.message), ...known }),
      ...(phase !== undefined && { phase }),
      ...(delivery !== undefined && { delivery }),
    });
  };
}

/** The peer ended the connection in good order while something was outstanding. */
const FIN = Object.freeze([NAMELESS, Object.freeze({ ending: 'fin' })]);
/** It was known to be dead before anything was written. */
const DEAD = Object.freeze([NAMELESS, Object.freeze({
  phase: 'send', delivery: 'not-sent',
  reason: 'The connection had been lost before the statement was handed to it: nothing was sent.',
})]);
/** A limit of the driver's on the time of a statement, which may go on at the server. */
const SLOW = Object.freeze(['ETIMEDOUT', Object.freeze({ phase: 'wait', delivery: 'unknown' })]);
const SLOW_CONNECT = Object.freeze(['ETIMEDOUT', Object.freeze({ phase: 'connect', delivery: 'not-sent' })]);
/** Nothing is wrong with the server: all connections of the pool are in use. */
const EXHAUSTED = Object.freeze(['ETIMEDOUT', Object.freeze({
  phase: 'connect', delivery: 'not-sent', reconnect: false,
  reason: 'All connections of the pool are in use, and none came free in time.',
})]);

/** What the server answered with a code of its own. */
function answer(code, known) {
  return [NAMELESS, { code, kind: 'server', phase: 'wait', ...known }];
}

module.exports = { DEAD, EXHAUSTED, FIN, SLOW, SLOW_CONNECT, answer, knowing };

'use strict';

/** Faults that JavaScript finds itself: what their code means stands in the catalogue (`src/fault/catalogue/`). */

const { explain } = require('./index');

/**
 * @param {string} code of the catalogue
 * @param {Partial<import('../..').Fault>} [known] what is known besides, or better
 * @returns {Readonly<import('../..').Fault>}
 */
function faultOfCode(code, known) {
  const { kind, phase, delivery, transient, reconnect, meaning } = explain(code);
  return Object.freeze({ code, kind, phase, delivery, transient, reconnect, reason: meaning, ...known });
}

module.exports = { faultOfCode };

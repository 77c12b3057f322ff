'use strict';

/** The numbers that the standard gives to the states, on the class and on every object of it. */

const STATES = Object.freeze({ CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 });
const NAMES = Object.freeze(Object.keys(STATES));

/** Makes them constants of a class. */
function defineStates(target) {
  for (const [name, value] of Object.entries(STATES)) {
    for (const holder of [target, target.prototype]) Object.defineProperty(holder, name, { value, enumerable: true });
  }
}

module.exports = { ...STATES, NAMES, defineStates };

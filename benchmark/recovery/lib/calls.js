'use strict';

/**
 * The calls of a script, and the faults that belong to them.
 *
 * A fault belongs to a call and to its first, second, ... attempt, never to a connection: clients open different
 * numbers of connections, and would otherwise meet different faults.
 *
 * @typedef {object} Call
 * @property {string} id in the request's path, and in the body of a POST
 * @property {number} at when it begins, in ms since the start of the script
 * @property {'GET' | 'POST'} method
 * @property {number} length of the right answer's body, in bytes
 * @property {Record<string, number>} [ask] what the origin is to do; see origin.js
 * @property {boolean} [prelude] it only prepares the others, and is not counted
 * @property {number} [strikes] so many attempts, from the first on, are struck by the network
 * @property {number} [where] a number in [0, 1) that says where
 */

const { draw } = require('./random');

/** A small answer; long enough that its head, of about 200 bytes, hardly counts. */
const SMALL = 16 * 1024;
const MIB = 1024 * 1024;

/**
 * @param {object} what
 * @param {number} what.count
 * @param {number} what.every ms between the beginnings of two calls
 * @param {'GET' | 'POST'} what.method
 * @param {number} [what.length]
 * @param {number} [what.from] when the first begins, in ms
 * @param {string} [what.name] tells the ids of one row of calls from another's
 * @returns {Call[]}
 */
function row({ count, every, method, length = SMALL, from = 0, name = 'call' }) {
  return Array.from({ length: count }, (_, index) => ({
    id: `${name}-${index}`,
    at: from + index * every,
    method,
    length,
  }));
}

/**
 * Gives each call its share of bad luck: each attempt is struck with that probability, as if drawn when it is made. No
 * bound: one of three would favour whoever repeats three times over who does it twice.
 * @param {Call[]} calls
 * @param {number} seed
 * @param {number} probability
 */
function withStrikes(calls, seed, probability) {
  return calls.map((call) => {
    let strikes = 0;
    while (draw(seed, 'strike', call.id, strikes) < probability) strikes += 1;
    return { ...call, strikes, where: draw(seed, 'where', call.id) };
  });
}

/**
 * Adds the fault of every call that is to be struck.
 * @param {import('../../..').FaultProxy} proxy
 * @param {Call[]} calls
 * @param {(call: Call) => object} fault type and point of a call's fault
 */
function strike(proxy, calls, fault) {
  for (const call of calls) {
    if (call.strikes > 0) {
      proxy.add({ ...fault(call), match: { method: call.method, path: pathOf(call.id) }, times: call.strikes });
    }
  }
}

/** @param {string} id */
const pathOf = (id) => `/calls/${id}`;

/** @param {Call} call */
function targetOf({ id, length, ask = {} }) {
  return `${pathOf(id)}?${new URLSearchParams({ length, ...ask })}`;
}

module.exports = { SMALL, MIB, row, withStrikes, strike, pathOf, targetOf };

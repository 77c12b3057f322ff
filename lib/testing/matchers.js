'use strict';

/**
 * Matchers for `expect.extend`, of Jest and of whatever speaks its language. They say what a test of resilience is
 * about (which fault, what it took, what was struck), and show the rest when they fail.
 */

const { inspect, types } = require('node:util');

const { classify } = require('../fault');
const { FAULT_FIELDS } = require('../errors');
const { proxyOf } = require('../proxy/fault-proxy');
const { checkNumber, checkOptions, invalidArgument, invalidType } = require('../validate');

const EXPECTED_OF_FAULT = [...FAULT_FIELDS, 'reason'];
const EXPECTED_OF_RECOVERY = ['attempts', 'faults', 'resumed'];

/** `expect(error).toHaveFault({ kind: 'reset', delivery: 'unknown' })`, or with a code alone. */
function toHaveFault(received, expected) {
  const given = typeof expected === 'string'
    ? { code: expected }
    : checkOptions(expected, 'expected', EXPECTED_OF_FAULT, 'a code or an object');
  // Everything has nothing in common with it, an error that is none included.
  if (Object.keys(given).length === 0) throw invalidArgument('expected must name a field of the fault.');
  refusePromise(received, 'toHaveFault');
  const fault = isFault(received) ? received : classify(received);
  const found = pick(fault, given);
  return {
    pass: this.equals(found, given),
    message: () => complaint(this, 'toHaveFault', given, found, `${fault.code}: ${fault.reason}`),
  };
}

/** `expect(response).toHaveRecovered({ attempts: 3 })`: it was answered, and not at the first attempt. */
function toHaveRecovered(received, expected = {}) {
  const wanted = { recovered: true, ...checkOptions(expected, 'expected', EXPECTED_OF_RECOVERY) };
  refusePromise(received, 'toHaveRecovered');
  const recovery = received?.recovery;
  if (!Array.isArray(recovery?.attempts)) {
    throw invalidType('received', 'a response or an error of our fetch, which have a recovery', received);
  }
  const { attempts, resumed } = recovery;
  const faults = attempts.filter(({ fault }) => fault !== null).map(({ fault }) => fault.code);
  const recovered = attempts.at(-1)?.fault === null && (attempts.length > 1 || resumed > 0);
  const found = pick({ recovered, attempts: attempts.length, faults, resumed }, wanted);
  return {
    pass: this.equals(found, wanted),
    message: () => complaint(this, 'toHaveRecovered', wanted, found, attempts.map(tellAttempt).join('\n')),
  };
}

/** `expect(handle).toHaveStruck(2)`; of a proxy, all its faults together. Without a number: at all. */
function toHaveStruck(received, expected) {
  if (expected !== undefined) checkNumber(expected, 'expected', { integer: true });
  const proxy = proxyOf(received);
  if (proxy === undefined) throw invalidType('received', 'a FaultProxy, or what its add() returned', received);
  const strikes = received === proxy ? sum(Object.values(proxy.stats().strikes)) : received.hits;
  return {
    pass: expected === undefined ? strikes > 0 : strikes === expected,
    message: () => {
      const wanted = expected ?? 'at least once';
      const fault = received === proxy ? '' : `fault ${received.id}: ${inspect(received.fault)}\n`;
      return complaint(this, 'toHaveStruck', wanted, strikes, `${fault}seed ${proxy.seed}\n${proxy.timeline()}`);
    },
  };
}

/** Of a thing that is no error but the description of one, such as the `fault` of an attempt. */
function isFault(thing) {
  return typeof thing?.kind === 'string' && typeof thing.delivery === 'string' && typeof thing.reason === 'string';
}

/** A promise has no fault yet, so `.not` would pass whatever becomes of it. */
function refusePromise(received, name) {
  if (types.isPromise(received)) {
    throw invalidArgument(`received must not be a promise: await expect(...).rejects.${name}(...), or .resolves.`);
  }
}

function pick(found, given) {
  return Object.fromEntries(Object.keys(given).map((key) => [key, found[key]]));
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}

function tellAttempt({ fault, delay }, index) {
  const wait = delay > 0 ? ` after ${Math.round(delay)} ms` : '';
  return `attempt ${index + 1}${wait}: ${fault === null ? 'answered' : `${fault.code}: ${fault.reason}`}`;
}

function complaint({ isNot, utils }, name, expected, received, context) {
  const hint = utils.matcherHint(name, undefined, undefined, { isNot });
  const not = isNot ? 'not ' : '';
  return `${hint}\n\nExpected: ${not}${utils.printExpected(expected)}\nReceived: ${utils.printReceived(received)}\n\n${context}`;
}

module.exports = { matchers: { toHaveFault, toHaveRecovered, toHaveStruck } };

'use strict';

/**
 * A script: which calls a client makes and what happens to them. The same for every client, down to the attempt.
 *
 * @typedef {object} Script
 * @property {string} title one line for the report
 * @property {[string, string]} heading two short words for the picture
 * @property {(plan: Plan) => import('./calls').Call[]} calls
 * @property {OriginOptions} [origin] how the origin is started
 * @property {(proxy: import('../../..').FaultProxy, calls: import('./calls').Call[]) => void} [arrange] adds faults
 *   before the first call
 * @property {(stage: Stage) => Promise<void>} [meanwhile] what happens to the network and the origin after it began
 * @property {boolean} [mostlyWaiting] nobody has much to do: several clients may be measured at once
 *
 * @typedef {object} Plan
 * @property {number} seed
 * @property {boolean} quick a fifth of it, to see whether everything runs
 *
 * @typedef {object} Stage
 * @property {import('../../..').FaultProxy} proxy the network
 * @property {{ send(message: 'close-idle'): void }} origin
 * @property {boolean} quick
 *
 * @typedef {object} OriginOptions see origin.js
 * @property {{ perSecond: number, refusalCost: number }} [capacity]
 */

const path = require('node:path');

/** The files in recovery/scripts/, in the order of the report. */
const NAMES = [
  'reset-get',
  'reset-post',
  'reset-body',
  'reset-live-body',
  'early-fin',
  'stale-get',
  'stale-post',
  'busy',
  'outage',
  'overload',
  'slow',
];

/**
 * @param {string} name
 * @returns {Script}
 */
const loadScript = (name) => require(path.join(__dirname, '..', 'scripts', name));

module.exports = { scriptNames: () => NAMES, loadScript };

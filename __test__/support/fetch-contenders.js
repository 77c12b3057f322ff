'use strict';

/** Our fetch and the built-in one, for tests in which the built-in one is the reference. */

const { fetch } = require('../..');

const builtIn = globalThis.fetch;

/** For `describe.each`: what holds for one must hold for the other. */
const contenders = [
  ['the built-in fetch', builtIn],
  ['our fetch', fetch],
];

module.exports = { fetch, builtIn, contenders };

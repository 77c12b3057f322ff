'use strict';

/** Servers that fail a number of times before they answer: what a retry has to survive. */

const { checkFunction, checkNumber, checkOptions } = require('../validate');
const { fin, ok, rst, silence } = require('./answers');
const { ORIGIN_OPTIONS, startOrigin } = require('./origin');

const resetServer = (options) => failingServer(rst, options);
const finServer = (options) => failingServer(fin, options);
const silentServer = (options) => failingServer(silence, options);

/**
 * @param {import('../../testing').Answer} fault
 * @param {import('../../testing').FailingServerOptions} [options]
 */
async function failingServer(fault, options = {}) {
  const { times = Infinity, then = ok, ...origin } = checkOptions(options, 'options', ['times', 'then', ...ORIGIN_OPTIONS]);
  checkNumber(times, 'times', { integer: true, infinity: true });
  checkFunction(then, 'then');
  return startOrigin((request, response) => (request.index < times ? fault : then)(request, response), origin);
}

module.exports = { resetServer, finServer, silentServer };

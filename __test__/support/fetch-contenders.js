'use strict';

/** Our fetch and the built-in one, for tests in which the built-in one is the reference. */

const { fetch } = require('../..');

const builtIn = globalThis.fetch;

/** For `describe.each`: what holds for one must hold for the other. */
const contenders = [
  ['the built-in fetch', builtIn],
  ['our fetch', fetch],
];

/**
 * What a call came to, in a form that two clients can be compared by. Messages are left out: they are for people.
 *
 * @param {Promise<Response>} call
 */
async function outcome(call) {
  try {
    const response = await call;
    const { status, url, redirected, type } = response;
    return { status, url, redirected, type, text: await response.text() };
  } catch (error) {
    return { rejected: error.name };
  }
}

module.exports = { fetch, builtIn, contenders, outcome };

'use strict';

/**
 * One call in a process of its own, because what is trusted and which flags Node has is fixed when a process begins.
 * The argument is JSON: `{ url, init, options, builtIn }`; without `options` it is the shared `fetch` that calls, or the built-in one.
 */

const { inspect } = require('node:util');

const unreset = require('../..');

async function call({ url, init, options, builtIn }) {
  try {
    const shared = builtIn ? fetch : unreset.fetch;
    const response = await (options === undefined ? shared : unreset.createFetch(options))(url, init);
    return { status: response.status, text: await response.text(), recovery: response.recovery };
  } catch (error) {
    const { code, message, cause, recovery } = error;
    return { code, message, fault: { ...cause }, recovery, all: inspect(error, { depth: 10, showHidden: true }) };
  }
}

call(JSON.parse(process.argv[2])).then((outcome) => console.log(JSON.stringify(outcome)));

'use strict';

/** Prints what becomes of a call, and of the process, when a listener of its policy throws. */

const { createFetch, createPolicy } = require('../../..');

const uncaught = [];
process.on('uncaughtException', ({ message }) => uncaught.push(message));

async function main(url) {
  let second = 0;
  const policy = createPolicy();
  policy.on('attempt', () => {
    throw new Error('of a listener');
  });
  policy.on('attempt', () => {
    second += 1;
  });
  const { status } = await createFetch({ retry: policy })(url);
  setImmediate(() => console.log(JSON.stringify({ status, second, uncaught })));
}

main(process.argv[2]);

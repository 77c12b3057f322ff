'use strict';

const { runProgram } = require('../support/program');

test('responses that nobody reads can be collected: their connections end, and the signal is let go of', async () => {
  const { code, stdout } = await runProgram('wrapped-unread.js');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual({ closed: 10, listeners: 0 });
});

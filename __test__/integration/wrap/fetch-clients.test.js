'use strict';

/** What a wrapped fetch does, with every function that people have as `fetch`, against servers that really fail. */

const { CASES } = require('../../support/wrapped-fetch/cases');
const { FETCHES } = require('../../support/wrapped-fetch/clients');
const { TaskRunner } = require('../../support/wrapped-fetch/task');

const runner = new TaskRunner();

afterAll(() => runner.close());

describe.each(Object.keys(FETCHES))('%s', (client) => {
  const { kind } = FETCHES[client];
  const able = Object.keys(CASES).filter((name) => CASES[name].only?.({ kind, client }) ?? true);

  test.each(able)('%s', async (name) => {
    expect(await runner.run({ client, name })).toEqual(CASES[name].expected);
  });
});

'use strict';

/** `docs/wrap-fetch.md` does what it says. */

const { Project, promisedBy, readDocument } = require('../../support/snippets');

const GUIDE = readDocument('docs/wrap-fetch.md');

let project;

beforeAll(() => {
  project = new Project();
});
afterAll(() => project.remove());

test.each(GUIDE.programs)('its program prints what it says', async (program) => {
  const promised = promisedBy(program);
  expect(promised).not.toEqual([]);
  expect(await project.printedBy(program)).toEqual(promised);
});

test('every file it links to is there', () => {
  expect(GUIDE.missing()).toEqual([]);
});

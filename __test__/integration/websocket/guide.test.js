'use strict';

/** `docs/websocket.md` does what it says. */

const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');
const { Project, promisedBy, readDocument } = require('../../support/snippets');
const { ROOT } = require('../../support/packages');

const GUIDE = readDocument('docs/websocket.md');
const SNIPPETS = [...fs.readFileSync(path.join(ROOT, 'docs/websocket.md'), 'utf8').matchAll(/```js\n(.*?)```/gs)].map(([, code]) => code);

let project;

beforeAll(() => {
  project = new Project(['ws']);
});
afterAll(() => project.remove());

test.each(GUIDE.programs)('its program prints what it says', async (program) => {
  const promised = promisedBy(program);
  expect(promised).not.toEqual([]);
  expect(await project.printedBy(program)).toEqual(promised);
});

test.each(SNIPPETS)('each snippet is a program', (code) => {
  // Some of them wait.
  expect(() => new vm.Script(`async () => {\n${code}\n}`)).not.toThrow();
});

test('every file it links to is there', () => {
  expect(GUIDE.missing()).toEqual([]);
});

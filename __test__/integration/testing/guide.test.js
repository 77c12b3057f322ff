'use strict';

/** `docs/testing.md`: its tests pass for the service it shows, and fail for one that does not survive. */

const { Project, promisedBy, readDocument } = require('../../support/snippets');

const GUIDE = readDocument('docs/testing.md');
const TESTS = GUIDE.files.map(({ file }) => file).filter((file) => file.endsWith('.test.js'));

let project;

beforeAll(() => {
  project = new Project(['ws']);
});
afterAll(() => project.remove());

/** The files of the guide are there as it shows them. */
beforeEach(() => {
  for (const { file, code } of GUIDE.files) project.write(file, code);
});

test('the guide has its tests, the first of ten lines', () => {
  expect(TESTS).toEqual(['stock.test.js', 'orders.test.js']);
  const [{ code }] = GUIDE.files;
  expect(code.split('\n').filter((line) => line.trim() !== '').length).toBeLessThanOrEqual(10);
});

test.each(TESTS)('%s passes', async (file) => {
  const { status, stderr } = await project.jest(file);
  expect(stderr).toMatch(/^Tests: +\d+ passed, \d+ total$/m);
  expect(status).toBe(0);
});

test.each([
  ['stock.test.js', 'stock.js'],
  ['orders.test.js', 'orders.js'],
])('%s fails where %s has only the built-in fetch', async (file, service) => {
  const { code } = GUIDE.files.find((candidate) => candidate.file === service);
  project.write(service, code.replace("const { fetch } = require('unreset');\n", ''));
  const { status, stderr } = await project.jest(file);
  expect(stderr).toMatch(/^Tests: +1 failed/m);
  expect(status).toBe(1);
});

test.each(GUIDE.programs)('a program prints what it says', async (program) => {
  const promised = promisedBy(program);
  expect(promised).not.toEqual([]);
  expect(await project.printedBy(program)).toEqual(promised);
});

test('every file it links to is there', () => {
  expect(GUIDE.missing()).toEqual([]);
});

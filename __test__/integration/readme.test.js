'use strict';

/** The README's code is what people paste first, so what it says it prints is what it prints. */

const http = require('node:http');
const path = require('node:path');
const { once } = require('node:events');

const { Project, promisedBy, readDocument } = require('../support/snippets');

const README = readDocument('README.md');

/** The address that the snippets use; the test's own server answers in its place. */
const PLACEHOLDER = 'https://inventory.example';

let server;
let project;
const seen = new Set();

/** Resets the first request for every path; `/always-reset` and what must not be repeated, each time. */
beforeAll(async () => {
  server = http.createServer((req, res) => {
    req.resume().on('error', () => {}).on('end', () => {
      const again = seen.has(req.url);
      seen.add(req.url);
      if (!again || req.url === '/always-reset') {
        req.socket.resetAndDestroy();
        return;
      }
      res.statusCode = req.method === 'POST' ? 201 : 200;
      res.end(JSON.stringify({ sku: path.basename(req.url), stock: 120 }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  project = new Project();
});

afterAll(async () => {
  project.remove();
  server.close();
  await once(server, 'close');
});

beforeEach(() => seen.clear());

test('the README has its snippets', () => {
  expect(README.programs.length).toBeGreaterThanOrEqual(5);
});

const NUMBERED = README.programs.map((program, index) => [index + 1, program]);

test.each(NUMBERED)('snippet %i prints what it says', async (_, program) => {
  const promised = promisedBy(program);
  expect(promised).not.toEqual([]);
  const url = `http://127.0.0.1:${server.address().port}`;
  expect(await project.printedBy(program.replaceAll(PLACEHOLDER, url))).toEqual(promised);
});

test('every file it links to is there', () => {
  expect(README.missing()).toEqual([]);
});

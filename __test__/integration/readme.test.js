'use strict';

/**
 * The README's code is what people paste first, so what it says it prints is what it prints. A snippet after
 * `<!-- runnable -->` runs as the program of a user who installed the package; `//=> text` is a line it prints.
 */

const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const { execFile } = require('node:child_process');
const { once } = require('node:events');
const { promisify } = require('node:util');

const ROOT = path.join(__dirname, '../..');
const README = fs.readFileSync(path.join(ROOT, 'README.md'), 'utf8');
const SNIPPETS = [...README.matchAll(/<!-- runnable -->\n```js\n(.*?)```/gs)].map(([, code]) => code);

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

  project = fs.mkdtempSync(path.join(os.tmpdir(), 'unreset-readme-'));
  fs.mkdirSync(path.join(project, 'node_modules'));
  fs.symlinkSync(ROOT, path.join(project, 'node_modules/unreset'), 'junction');
});

afterAll(async () => {
  fs.rmSync(project, { recursive: true });
  server.close();
  await once(server, 'close');
});

/** What a snippet prints, as lines. */
async function printedBy(snippet, name) {
  const file = path.join(project, `${name}.${/^import /m.test(snippet) ? 'mjs' : 'cjs'}`);
  fs.writeFileSync(file, snippet.replaceAll(PLACEHOLDER, `http://127.0.0.1:${server.address().port}`));
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [file], { timeout: 20_000 });
  expect(stderr).toBe('');
  return stdout.trimEnd().split('\n');
}

beforeEach(() => seen.clear());

test('the README has its snippets', () => {
  expect(SNIPPETS.length).toBeGreaterThanOrEqual(5);
});

const NUMBERED = SNIPPETS.map((snippet, index) => [index + 1, snippet]);

test.each(NUMBERED)('snippet %i prints what it says', async (n, snippet) => {
  const promised = [...snippet.matchAll(/\/\/=> (.*)$/gm)].map(([, line]) => line);
  expect(promised).not.toEqual([]);
  expect(await printedBy(snippet, `snippet-${n}`)).toEqual(promised);
});

test('every file it links to is there', () => {
  const links = [...README.matchAll(/\]\(([^)#]+)\)/g)].map(([, target]) => target);
  const local = links.filter((target) => !/^https?:/.test(target));
  const missing = local.filter((target) => !fs.existsSync(path.join(ROOT, target)));
  expect(missing).toEqual([]);
});

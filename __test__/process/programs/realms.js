'use strict';

// The package loaded twice in one process: both halves share the addon and must not share anything else.

const http = require('node:http');
const path = require('node:path');
const vm = require('node:vm');
const { createRequire } = require('node:module');
const { once } = require('node:events');

const ROOT = path.join(__dirname, '..', '..', '..');

/** The package once more, with a module cache of its own. */
function loadAgain() {
  const require = createRequire(path.join(ROOT, 'package.json'));
  for (const file of Object.keys(require.cache)) {
    if (file.startsWith(ROOT)) delete require.cache[file];
  }
  return require(ROOT);
}

async function main() {
  const server = http.createServer((request, response) => response.end(request.url));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}`;

  const packages = [loadAgain(), loadAgain(), loadAgain()];
  const distinct = new Set(packages.map(({ fetch }) => fetch)).size;
  // Interleaved: each must hear its own answers.
  const texts = await Promise.all(
    Array.from({ length: 300 }, (_, i) => packages[i % 3].fetch(`${url}/${i}`).then((response) => response.text())),
  );
  const inOrder = texts.every((text, i) => text === `/${i}`);

  // One of them is forgotten while its calls are in flight; the others go on.
  packages[0] = undefined;
  globalThis.gc();
  const after = await (await packages[1].fetch(`${url}/after`)).text();

  const context = vm.createContext({ unreset: packages[2], url });
  const inContext = await vm.runInContext('unreset.fetch(url + "/vm").then((r) => r.text())', context);

  server.closeAllConnections();
  server.close();
  console.log(JSON.stringify({ distinct, inOrder, after, inContext }));
}

main();

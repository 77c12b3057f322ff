'use strict';

// The package loaded in several realms of one process: they share the addon and must not share anything else.

const http = require('node:http');
const { once } = require('node:events');
const { loadInRealm } = require('./realm-loader');

async function main() {
  const server = http.createServer((request, response) => response.end(request.url));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}`;

  const realms = [loadInRealm(), loadInRealm(), { unreset: require('../../..') }];
  const distinct = new Set(realms.map(({ unreset }) => unreset.fetch)).size;
  // Interleaved: each must hear its own answers.
  const texts = await Promise.all(
    Array.from({ length: 300 }, (_, i) => realms[i % 3].unreset.fetch(`${url}/${i}`).then((response) => response.text())),
  );
  const inOrder = texts.every((text, i) => text === `/${i}`);

  const forgotten = forget(realms, url);
  globalThis.gc();
  const last = await forgotten.inFlight;
  // A promise is of its realm and keeps it.
  forgotten.inFlight = undefined;
  const after = await (await realms[1].unreset.fetch(`${url}/after`)).text();
  const collected = await isCollected(forgotten.realm);

  server.closeAllConnections();
  server.close();
  console.log(JSON.stringify({ distinct, inOrder, last, after, collected }));
}

/** Lets go of a realm that has a call in flight, which must be answered all the same. */
function forget(realms, url) {
  const { unreset, context } = realms[0];
  realms[0] = undefined;
  const inFlight = unreset.fetch(`${url}/forgotten`).then((response) => response.text());
  return { inFlight, realm: new WeakRef(context) };
}

/** Collection takes some turns of the event loop; their number is bounded. */
async function isCollected(reference) {
  for (let turn = 0; turn < 100; turn++) {
    globalThis.gc();
    if (reference.deref() === undefined) return true;
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
  return false;
}

main();

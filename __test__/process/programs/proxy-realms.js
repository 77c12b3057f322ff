'use strict';

// A realm that is forgotten with a proxy open, as a Jest file leaves it: the proxy goes with the realm.

const net = require('node:net');
const { once } = require('node:events');
const { loadInRealm } = require('./realm-loader');

async function main() {
  const { port, realm } = await forget();
  const kept = await loadInRealm().unreset.FaultProxy.listen({ upstream: 1 });

  let collected = false;
  let closed = false;
  for (let turn = 0; turn < 200 && !(collected && closed); turn++) {
    globalThis.gc();
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
    collected = realm.deref() === undefined;
    closed = (await attempt(port)) === 'ECONNREFUSED';
  }
  const other = await attempt(kept.port);
  await kept.close();
  console.log(JSON.stringify({ collected, closed, other }));
}

/** In a function of its own, so that no variable of `main` holds the realm. */
async function forget() {
  const { unreset, context } = loadInRealm();
  const proxy = await unreset.FaultProxy.listen({ upstream: 1 });
  if ((await attempt(proxy.port)) !== 'connected') throw new Error('the proxy never listened');
  return { port: proxy.port, realm: new WeakRef(context) };
}

async function attempt(port) {
  const client = net.connect(port, '127.0.0.1');
  // The upstream is down, so the proxy resets who has connected; that is reported apart.
  client.on('error', () => {});
  try {
    await once(client, 'connect');
    return 'connected';
  } catch ({ code }) {
    return code;
  } finally {
    client.destroy();
  }
}

main();

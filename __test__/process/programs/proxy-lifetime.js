'use strict';

// How long a process lives that has a fault proxy: the case is the first argument.

const net = require('node:net');
const { once } = require('node:events');
const { FaultProxy } = require('../../..');

const CASES = {
  /** Nobody holds the proxy, and it works all the same; its process lives until somebody ends it. */
  async dropped(upstream) {
    const { port } = await FaultProxy.listen({ upstream });
    for (let turn = 0; turn < 5; turn++) {
      globalThis.gc();
      await new Promise(setImmediate);
    }
    console.log(await greeting(port));
    // Everything else that could keep the process alive is unreferenced: still, it must be there for this.
    setTimeout(() => process.exit(7), 300).unref();
  },
  /** Unreferenced, the proxy works while something else keeps the process alive, and then lets it end. */
  async unreferenced(upstream) {
    const proxy = await FaultProxy.listen({ upstream });
    console.log(await greeting(proxy.unref().port));
  },
  /** Referenced again, it keeps the process alive. */
  async referenced(upstream) {
    const proxy = await FaultProxy.listen({ upstream });
    proxy.unref().unref().ref();
    setTimeout(() => process.exit(7), 300).unref();
  },
  /** A proxy that is closed lets the process end; `ref` then means nothing. */
  async closed(upstream) {
    const proxy = await FaultProxy.listen({ upstream });
    await greeting(proxy.port);
    await proxy.close();
    proxy.ref();
    console.log('closed');
  },
  /** Listening and closing are awaited although nothing else is there. */
  async waits() {
    const proxy = await FaultProxy.listen({ upstream: 1 });
    proxy.unref();
    await proxy.close();
    console.log('closed');
  },
  /** A port that cannot be had leaves nothing behind. */
  async failed(upstream) {
    await FaultProxy.listen({ upstream, host: '192.0.2.1' }).catch(({ code }) => console.log(code));
  },
  /** An exit with proxies in every state. */
  async exits(upstream) {
    for (let i = 0; i < 20; i++) FaultProxy.listen({ upstream }).then((proxy) => proxy.close());
    const proxy = await FaultProxy.listen({ upstream });
    proxy.add({ type: 'stall', on: 'response' });
    proxy.add({ type: 'refuse', on: 'accept' }).remove();
    for (let i = 0; i < 20; i++) net.connect(proxy.port, '127.0.0.1').on('error', () => {});
    console.log('exiting');
    process.exit(7);
  },
};

async function greeting(port) {
  const [chunk] = await once(net.connect(port, '127.0.0.1'), 'data');
  return chunk.toString();
}

async function main() {
  const service = net.createServer((socket) => socket.unref().end('hello')).listen(0, '127.0.0.1');
  await once(service, 'listening');
  service.unref();
  await CASES[process.argv[2]](service.address().port);
}

main();

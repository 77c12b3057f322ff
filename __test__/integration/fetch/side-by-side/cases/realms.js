'use strict';

/** Parts of a request that another realm made: their classes are not those that `instanceof` here knows. */

const vm = require('node:vm');

const { whole } = require('../run');

/** `code` is an expression, evaluated in a realm of its own. */
const made = (code) => vm.runInNewContext(code);

const posted = (name, init) => ({
  name,
  run: async (fetch, at) => whole(await fetch(at.url, { method: 'POST', ...init() })),
});

module.exports = [
  posted('an init', () => made('({ method: "PUT", headers: { "X-A": "1" }, body: "text" })')),
  posted('a record of headers', () => ({ headers: made('({ "X-A": "1", "x-b": 2 })') })),
  posted('pairs of headers', () => ({ headers: made('[["x-a", "1"], ["X-A", "2"]]') })),
  posted('a Map of headers', () => ({ headers: made('new Map([["x-a", "1"]])') })),
  posted('a generator of headers', () => ({ headers: made('(function* () { yield ["x-a", "1"]; })()') })),
  posted('a Uint8Array', () => ({ body: made('Uint8Array.of(0, 1, 255)') })),
  posted('a DataView', () => ({ body: made('new DataView(Uint8Array.of(1, 2, 3, 4).buffer, 1, 2)') })),
  posted('an ArrayBuffer', () => ({ body: made('Uint8Array.of(1, 2, 3).buffer') })),
  posted('a String object', () => ({ body: made('new String("boxed")') })),
  posted('an object', () => ({ body: made('({})') })),
  posted('an async generator', () => ({ body: made('(async function* () { yield Uint8Array.of(1, 2); yield Uint8Array.of(3); })()'), duplex: 'half' })),
  posted('pieces of a stream', () => ({
    duplex: 'half',
    body: new ReadableStream({
      start(controller) {
        controller.enqueue(made('Uint8Array.of(1, 2)'));
        controller.close();
      },
    }),
  })),
  {
    name: 'the parts of a Request',
    run: async (fetch, at) => whole(await fetch(new Request(at.url, made('({ method: "PUT", headers: [["x-a", "1"]], body: Uint8Array.of(1, 2) })')))),
  },
  {
    name: 'a URL that is an object with a toString',
    run: async (fetch, at) => whole(await fetch(made(`({ toString: () => ${JSON.stringify(`${at.url}/path`)} })`))),
  },
];

'use strict';

/**
 * The functions that people have as `fetch`. `kind`: `undici` is the standard's, `node-fetch` is what came before it: bodies
 * are Node streams, errors have a class of their own. `load` gives the function.
 */

const [NODE] = process.versions.node.split('.').map(Number);

const FETCHES = {
  'the built-in fetch': { kind: 'undici', load: () => globalThis.fetch },
  'undici 7': { kind: 'undici', load: () => require('undici-7').fetch },
  ...(NODE >= 22 && { 'undici 8': { kind: 'undici', load: () => require('undici').fetch } }),
  'node-fetch 2': { kind: 'node-fetch', load: () => require('node-fetch-2') },
  'cross-fetch': { kind: 'node-fetch', load: () => require('cross-fetch') },
  // Jest offers no `import()`: it runs in a process of its own.
  'node-fetch 3': { kind: 'node-fetch', imported: true, load: async () => (await import('node-fetch')).default },
};

module.exports = { FETCHES };

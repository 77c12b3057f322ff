'use strict';

// Loads the package into a vm context of its own, as Jest does: every file anew, the addon shared.

const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');

const ROOT = path.join(__dirname, '..', '..', '..');
const NATIVE = path.join(ROOT, 'lib', 'native.js');

/** What of the main realm the package uses; its JavaScript objects (`Map`, `Promise`) are the context's own. */
const SHARED = [
  'AbortController', 'AbortSignal', 'Blob', 'Buffer', 'DOMException', 'Event', 'FormData', 'Headers', 'ReadableStream',
  'Request', 'Response', 'TextDecoder', 'URL', 'URLSearchParams', 'clearTimeout', 'fetch', 'performance', 'process',
  'queueMicrotask', 'setImmediate', 'setTimeout',
];

/** @returns {{ unreset: typeof import('../../..'), context: object }} */
function loadInRealm() {
  const context = vm.createContext(Object.fromEntries(SHARED.map((name) => [name, globalThis[name]])));
  const modules = new Map();

  function load(file) {
    if (file === NATIVE) return require(NATIVE);
    if (file.endsWith('.json')) return JSON.parse(fs.readFileSync(file, 'utf8'));
    let module = modules.get(file);
    if (module === undefined) {
      module = { exports: {} };
      modules.set(file, module);
      const wrapped = `(function (require, module, exports, __dirname, __filename) {${fs.readFileSync(file, 'utf8')}\n})`;
      const resolve = (name) => (name.startsWith('.') ? load(resolveFile(path.resolve(path.dirname(file), name))) : require(name));
      vm.runInContext(wrapped, context, { filename: file })(resolve, module, module.exports, path.dirname(file), file);
    }
    return module.exports;
  }

  return { unreset: load(path.join(ROOT, 'index.js')), context };
}

function resolveFile(name) {
  const candidates = [name, `${name}.js`, path.join(name, 'index.js')];
  return candidates.find((file) => fs.statSync(file, { throwIfNoEntry: false })?.isFile());
}

module.exports = { loadInRealm };

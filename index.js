'use strict';

/**
 * The public entry; `index.d.ts` describes it. Written out as one literal so that the names can be imported:
 * `import { fetch } from 'unreset'` works because Node finds them in the text of this file.
 */

// First: without the addon nothing works, and this says so before anything else can fail in another way.
require('./lib/native');

const { fetch, createFetch } = require('./lib/fetch');
const { classify, isTransient, isReset, explain } = require('./lib/fault');
const { createPolicy } = require('./lib/policy');
const { retry } = require('./lib/policy/retry');
/** These stand in the literal for their names: who does not use one need not wait for it to load. */
const [FaultProxy, Socket, connect, createConnection] = [];

module.exports = {
  fetch, createFetch, retry, createPolicy, classify, isTransient, isReset, explain, FaultProxy, Socket, connect, createConnection,
};

// Not `defineProperty`: seeing that, with a getter, Node takes the name from those that can be imported.
Object.defineProperties(module.exports, {
  FaultProxy: { enumerable: true, get: () => require('./lib/proxy').FaultProxy },
  Socket: { enumerable: true, get: () => require('./lib/net').Socket },
  connect: { enumerable: true, get: () => require('./lib/net').connect },
  createConnection: { enumerable: true, get: () => require('./lib/net').createConnection },
});

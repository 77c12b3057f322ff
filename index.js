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
/** Stand in the literal for their names: a program that does not use them need not wait for them to load. */
const wrapFetch = undefined;
const wrapAxios = undefined;
const wrapHttp = undefined;
const Socket = undefined;
const connect = undefined;
const createConnection = undefined;
const WebSocket = undefined;
const download = undefined;
const downloadTo = undefined;
const resumable = undefined;
const persistent = undefined;
const wrapPgPool = undefined;
const wrapMysqlPool = undefined;
const wrapRedis = undefined;
const wrapMongoose = undefined;
const FaultProxy = undefined;

module.exports = {
  fetch,
  createFetch,
  wrapFetch,
  wrapAxios,
  wrapHttp,
  retry,
  createPolicy,
  classify,
  isTransient,
  isReset,
  explain,
  Socket,
  connect,
  createConnection,
  WebSocket,
  download,
  downloadTo,
  resumable,
  persistent,
  wrapPgPool,
  wrapMysqlPool,
  wrapRedis,
  wrapMongoose,
  FaultProxy,
};

// Not `defineProperty`: seeing that, with a getter, Node takes the name from those that can be imported.
Object.defineProperties(module.exports, {
  wrapFetch: { enumerable: true, get: () => require('./lib/wrap/fetch').wrapFetch },
  wrapAxios: { enumerable: true, get: () => require('./lib/wrap/axios').wrapAxios },
  wrapHttp: { enumerable: true, get: () => require('./lib/wrap/http').wrapHttp },
  FaultProxy: { enumerable: true, get: () => require('./lib/proxy').FaultProxy },
  Socket: { enumerable: true, get: () => require('./lib/net').Socket },
  connect: { enumerable: true, get: () => require('./lib/net').connect },
  createConnection: { enumerable: true, get: () => require('./lib/net').createConnection },
  WebSocket: { enumerable: true, get: () => require('./lib/websocket').WebSocket },
  download: { enumerable: true, get: () => require('./lib/stream').download },
  downloadTo: { enumerable: true, get: () => require('./lib/stream').downloadTo },
  resumable: { enumerable: true, get: () => require('./lib/stream').resumable },
  persistent: { enumerable: true, get: () => require('./lib/persistent').persistent },
  wrapPgPool: { enumerable: true, get: () => require('./lib/persistent').wrapPgPool },
  wrapMysqlPool: { enumerable: true, get: () => require('./lib/persistent').wrapMysqlPool },
  wrapRedis: { enumerable: true, get: () => require('./lib/persistent').wrapRedis },
  wrapMongoose: { enumerable: true, get: () => require('./lib/persistent').wrapMongoose },
});

/**
 * A server that speaks MongoDB's wire protocol, in a process of its own: `node mongo-server.mjs <port> <directory> [set]`.
 *
 * There is no mongod in the npm registry; CongoDB is written in JavaScript, and passes for one with the official driver. It is
 * no proof of what mongod does when it fails over. `set`: it says that it is the primary of a replica set, which makes the
 * driver repeat single writes.
 */

import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(import.meta.url);
const [port, directory, set] = process.argv.slice(2);
const root = path.join(path.dirname(require.resolve('@push.rocks/smartmongo')), 'congodb');
const load = (file) => import(pathToFileURL(path.join(root, file)));

const { HelloHandler } = await load('server/handlers/HelloHandler.js');
const { handle } = HelloHandler.prototype;
HelloHandler.prototype.handle = async function handleHello(context) {
  // With a version of the topology the driver asks for a stream of answers, which this server does not send.
  const answer = { ...(await handle.call(this, context)), topologyVersion: undefined };
  if (set === undefined) return answer;
  const me = `127.0.0.1:${set}`;
  return { ...answer, setName: 'set', hosts: [me], primary: me, me, setVersion: 1 };
};

const { CommandRouter } = await load('server/CommandRouter.js');
const { route } = CommandRouter.prototype;
/** What is to be called when the parent has allowed an answer, by the id of that answer. */
const held = new Map();
let lastId = 0;
if (process.send !== undefined) {
  CommandRouter.prototype.route = async function routeAndTell(parsed) {
    const answer = await route.call(this, parsed);
    const did = workOf(parsed);
    if (did !== undefined) await allowed(did);
    return answer;
  };
  process.on('message', (id) => {
    held.get(id)();
    held.delete(id);
  });
  process.on('disconnect', () => process.exit());
}

function allowed(did) {
  lastId += 1;
  const id = lastId;
  process.send({ did, id });
  return new Promise((resolve) => {
    held.set(id, resolve);
  });
}

/** Undefined for commands that are not on documents. */
function workOf({ commandName, command, documentSequences }) {
  const documents = documentSequences?.get('documents') ?? command.documents;
  if (commandName === 'find') return { command: 'find', collection: command.find, what: command.filter };
  if (commandName === 'insert') return { command: 'insert', collection: command.insert, what: documents[0] };
  return undefined;
}

const { CongoServer } = await load('index.js');
const server = new CongoServer({ port: Number(port), storage: 'file', storagePath: directory });
process.on('SIGTERM', () => server.stop().then(() => process.exit()));
await server.start();
console.log('ready');
process.send?.({ port: server.server.address().port });

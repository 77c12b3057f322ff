'use strict';

/**
 * mongoose. Traps that are closed here (mongoose 9, mongodb 7):
 * - a first connect that fails is not tried again, and to connect twice is an error of its own;
 * - `readyState` goes stale, and an 'error' event without a listener ends the process;
 * - while there is no connection, operations are buffered without a bound;
 * - the driver repeats reads and single writes by itself, so what it throws proves little: that it found no server may be the
 *   end of its second try, and the first one was sent.
 */

const { FaultError } = require('../errors');
const { classify } = require('../fault');
const { faultOfCode } = require('../fault/of-code');
const { checkOptions, invalidArgument, invalidType } = require('../validate');
const { fullError } = require('./faults');
const { parseOptions } = require('./options');
const { Persistent } = require('./persistent');

const CONNECTED = 1;
const CONNECTING = 2;

/**
 * @param {import('../..').MongooseLike | import('../..').MongooseConnectionLike} target
 * @param {import('../..').MongooseOptions} [options]
 * @returns {PersistentMongoose}
 */
function wrapMongoose(target, options = {}) {
  const { uri, connectOptions, ...rest } = checkOptions(options, 'options', [
    'uri', 'connectOptions', 'name', 'retry', 'reconnect', 'timeout', 'pingAfter', 'maxWaiting',
  ]);
  return new PersistentMongoose(connectionOf(target), checkUri(uri), checkConnectOptions(connectOptions), parseOptions(rest));
}

class PersistentMongoose extends Persistent {
  constructor(connection, uri, connectOptions, options) {
    super(sourceOf(connection, uri, connectOptions, options), options);
    /** The connection that was given, or mongoose's own. */
    this.connection = connection;
  }
}

/** mongoose itself stands for its default connection. */
function connectionOf(target) {
  const connection = typeof target?.createConnection === 'function' ? target.connection : target;
  const isConnection = typeof connection?.openUri === 'function' && typeof connection.readyState === 'number';
  if (!isConnection) throw invalidType('target', "the package 'mongoose', or a connection of it", target);
  return connection;
}

function checkUri(uri) {
  if (uri === undefined || typeof uri === 'string') return uri;
  throw invalidType('options.uri', 'a string', uri);
}

function checkConnectOptions(value) {
  if (value === undefined || (typeof value === 'object' && value !== null)) return value;
  throw invalidType('options.connectOptions', 'an object, as mongoose.connect takes it', value);
}

function sourceOf(connection, uri, connectOptions, { maxWaiting }) {
  const seen = new Checkouts();
  // Without a listener an error of a connection that comes back by itself would end the process.
  connection.on('error', () => {});
  connection.on('buffer', () => bound(connection, maxWaiting));
  return {
    surface: 'wrapMongoose',
    heals: true,
    faultOf: classify,
    async connect({ signal, lost }) {
      await open(connection, uri, connectOptions, signal);
      seen.watch(connection.client);
      connection.once('disconnected', () => lost(errorOfServers(connection)));
      return connection;
    },
    // It comes back by itself.
    discard() {},
    close: () => connection.close(),
    destroyAll: () => connection.close(true),
    ping: (_, { signal }) => connection.db.command({ ping: 1 }, { signal }),
    isBroken: () => connection.readyState !== CONNECTED || isClosed(connection.client),
    traffic: () => seen.count,
  };
}

/** One attempt; while the driver's client lives, it is the driver that connects, and a ping that waits for it. */
async function open(connection, uri, connectOptions, signal) {
  if (connection.readyState === CONNECTING) await connection.asPromise();
  else if (connection.db === undefined || isClosed(connection.client)) await openAnew(connection, uri, connectOptions);
  await connection.db.command({ ping: 1 }, { signal });
  if (connection.readyState !== CONNECTED) throw errorOfServers(connection);
}

async function openAnew(connection, uri, connectOptions) {
  const address = uri ?? connection._connectionString;
  if (address === undefined) throw invalidArgument('options.uri must be given: the connection has never been opened.');
  // mongoose takes options out of the object that it is given.
  const options = { ...(connectOptions ?? connection._connectionOptions) };
  // Its client was closed under it, and it has not noticed: told to open, it would do nothing.
  if (connection.readyState === CONNECTED) await connection.close();
  const { client } = connection;
  try {
    await connection.openUri(address, options);
  } catch (error) {
    // Each attempt makes a client, whose monitors would go on for ever.
    if (connection.client !== client) await connection.client?.close().catch(() => {});
    throw error;
  }
}

function isClosed(client) {
  return client?.topology === undefined || client.topology.isDestroyed?.() === true;
}

/** What the servers were last found to fail with; mongoose's event does not say. */
function errorOfServers(connection) {
  const servers = connection.client?.topology?.description?.servers;
  const failed = [...(servers?.values() ?? [])].map(({ error }) => error).find((error) => error);
  return failed ?? new FaultError(faultOfCode('ECONNRESET', { reason: 'mongoose has lost its connection.' }));
}

/** Throws where mongoose is about to buffer one operation more, which rejects it. */
function bound({ collections }, most) {
  const buffered = Object.values(collections).reduce((sum, { queue }) => sum + (queue?.length ?? 0), 0);
  if (buffered >= most) throw fullError();
}

/** Counts the connections that the driver took out of its pools. It does so before each operation and each repetition. */
class Checkouts {
  #clients = new WeakSet();

  count = 0;

  watch(client) {
    if (client === undefined || this.#clients.has(client)) return;
    this.#clients.add(client);
    client.on('connectionCheckedOut', () => {
      this.count += 1;
    });
  }
}

module.exports = { wrapMongoose };

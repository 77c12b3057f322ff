'use strict';

/**
 * node-redis. Traps that are closed here (redis 6): an 'error' that nobody listens to ends the process; a command that met a
 * dead connection in silence hangs; a client that has given up reconnecting, as it does after a socket timeout, stays dead.
 */

const { classify } = require('../fault');
const { endedError, isReadOnly } = require('./redis-common');

function isNodeRedis(client) {
  return typeof client?.isOpen === 'boolean' && typeof client.isReady === 'boolean' && typeof client.sendCommand === 'function';
}

/** @param {import('redis').RedisClientType} client */
function nodeRedisSource(client) {
  client.on('error', () => {});
  return {
    surface: 'wrapRedis',
    heals: true,
    faultOf: classify,
    async connect({ signal, lost }) {
      await untilReady(client, signal);
      const end = (error) => {
        // One of those that are not about the connection.
        if (client.isReady) return;
        for (const event of ENDINGS) client.off(event, end);
        lost(error ?? endedError());
      };
      for (const event of ENDINGS) client.on(event, end);
      return client;
    },
    // It comes back by itself; unless it does not know that it is dead.
    discard() {
      if (client.isReady) client.destroy();
    },
    async close() {
      if (client.isReady) await client.close();
      else client.destroy();
    },
    destroyAll: () => client.destroy(),
    ping: () => client.ping(),
    isBroken: (_, error) => !client.isReady || isReadOnly(error),
    // It does not show its socket: whatever fails may have come after something that was sent.
    traffic: () => Symbol('unseen'),
  };
}

/** 'error' comes with each loss, before 'reconnecting'. */
const ENDINGS = Object.freeze(['error', 'reconnecting', 'terminated', 'end']);

/** One attempt of the client's own, which it repeats by itself until it gives up. */
function untilReady(client, signal) {
  if (client.isReady) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const onReady = () => end(resolve);
    const onError = (error) => end(reject, error);
    const onAbort = () => end(reject, signal.reason);
    const end = (settle, value) => {
      client.off('ready', onReady);
      client.off('error', onError);
      signal.removeEventListener('abort', onAbort);
      settle(value);
    };
    client.on('ready', onReady);
    client.on('error', onError);
    signal.addEventListener('abort', onAbort);
    // Its rejection is the last of these errors.
    if (!client.isOpen) client.connect().catch(() => {});
  });
}

module.exports = { isNodeRedis, nodeRedisSource };

'use strict';

/** Redis, over the client that the program has: ioredis or node-redis. Both reconnect by themselves. */

const { invalidType } = require('../validate');
const { ioredisSource, isIoredis } = require('./ioredis');
const { isNodeRedis, nodeRedisSource } = require('./node-redis');
const { parseOptions } = require('./options');
const { Persistent } = require('./persistent');

/**
 * @param {import('../..').RedisLike} client
 * @param {import('../..').PersistentOptions} [options]
 * @returns {PersistentRedis}
 */
function wrapRedis(client, options) {
  return new PersistentRedis(client, parseOptions(options));
}

class PersistentRedis extends Persistent {
  constructor(client, options) {
    super(sourceOf(client), options);
    /** The client that was given. */
    this.client = client;
  }
}

function sourceOf(client) {
  if (isIoredis(client)) return ioredisSource(client);
  if (isNodeRedis(client)) return nodeRedisSource(client);
  throw invalidType('client', "a Redis of the package 'ioredis', or what createClient of 'redis' returns; no cluster", client);
}

module.exports = { wrapRedis };

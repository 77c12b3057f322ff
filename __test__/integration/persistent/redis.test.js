'use strict';

const { Redis } = require('ioredis');
const { createClient } = require('redis');
const { wrapRedis } = require('../../..');
const { describeRedis, startRedis } = require('../../support/redis');
const { keepsTheContract } = require('./contract');

const COMMON = {
  heals: true,
  crash: 'SIGKILL',
  shutdown: 'SIGTERM',
  start: () => startRedis(),
  async direct(server) {
    const client = createClient({ socket: { port: server.port, host: '127.0.0.1' } });
    client.on('error', () => {});
    await client.connect();
    return {
      count: async () => Number(await client.get('writes')),
      reset: () => client.del('writes'),
      close: () => client.destroy(),
    };
  },
  write: (client) => client.incr('writes'),
  read: (client) => client.get('writes'),
};

describeRedis('wrapRedis of ioredis', () => keepsTheContract({
  ...COMMON,
  wrap: (port, options) => wrapRedis(new Redis({ port, host: '127.0.0.1', lazyConnect: true, retryStrategy: () => 20 }), options),
  refused: (client) => client.lpush('writes-of-another-type', 1).then(() => client.get('writes-of-another-type')),
}));

describeRedis('wrapRedis of node-redis', () => keepsTheContract({
  ...COMMON,
  wrap: (port, options) => wrapRedis(createClient({ socket: { port, host: '127.0.0.1', reconnectStrategy: () => 20 } }), options),
  refused: (client) => client.lPush('writes-of-another-type', '1').then(() => client.get('writes-of-another-type')),
}));

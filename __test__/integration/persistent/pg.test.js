'use strict';

const pg = require('pg');
const { wrapPgPool } = require('../../..');
const { describePostgres, startPostgres } = require('../../support/postgres');
const { keepsTheContract } = require('./contract');

const connectionTo = (port) => ({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' });

const DRIVER = {
  heals: false,
  crash: 'SIGQUIT',
  shutdown: 'SIGINT',
  start: () => startPostgres(),
  async direct(server) {
    const client = new pg.Client(connectionTo(server.port));
    client.on('error', () => {});
    await client.connect();
    await client.query('CREATE TABLE IF NOT EXISTS writes (n serial PRIMARY KEY)');
    return {
      count: async () => (await client.query('SELECT count(*)::int AS n FROM writes')).rows[0].n,
      reset: () => client.query('TRUNCATE writes'),
      close: () => client.end(),
    };
  },
  wrap: (port, options) => wrapPgPool(new pg.Pool(connectionTo(port)), options),
  write: (client) => client.query('INSERT INTO writes DEFAULT VALUES'),
  read: (client) => client.query('SELECT count(*) FROM writes'),
  refused: (client) => client.query('SELECT * FROM nowhere'),
};

describePostgres('wrapPgPool', () => keepsTheContract(DRIVER));

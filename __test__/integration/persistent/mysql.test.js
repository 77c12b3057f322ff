'use strict';

const mysql = require('mysql2');
const mysqlPromise = require('mysql2/promise');
const { wrapMysqlPool } = require('../../..');
const { describeMariadb, startMariadb } = require('../../support/mariadb');
const { keepsTheContract } = require('./contract');

const connectionTo = (port) => ({ host: '127.0.0.1', port, user: 'root', database: 'test' });

const COMMON = {
  heals: false,
  crash: 'SIGKILL',
  shutdown: 'SIGTERM',
  async start() {
    const server = await startMariadb();
    const connection = await mysqlPromise.createConnection({ ...connectionTo(server.port), database: undefined });
    await connection.query('CREATE DATABASE test');
    await connection.query('CREATE TABLE test.writes (n INT AUTO_INCREMENT PRIMARY KEY) ENGINE=InnoDB');
    await connection.end();
    return server;
  },
  async direct(server) {
    const connection = await mysqlPromise.createConnection(connectionTo(server.port));
    return {
      count: async () => (await connection.query('SELECT count(*) AS n FROM writes'))[0][0].n,
      reset: () => connection.query('DELETE FROM writes'),
      close: () => connection.end().catch(() => {}),
    };
  },
};

describeMariadb('wrapMysqlPool of mysql2/promise', () => keepsTheContract({
  ...COMMON,
  wrap: (port, options) => wrapMysqlPool(mysqlPromise.createPool(connectionTo(port)), options),
  write: (connection) => connection.query('INSERT INTO writes VALUES ()'),
  read: (connection) => connection.query('SELECT count(*) FROM writes'),
  refused: (connection) => connection.query('SELECT * FROM nowhere'),
}));

describeMariadb('wrapMysqlPool of mysql2', () => keepsTheContract({
  ...COMMON,
  wrap: (port, options) => wrapMysqlPool(mysql.createPool(connectionTo(port)), options),
  write: (connection) => connection.promise().query('INSERT INTO writes VALUES ()'),
  read: (connection) => connection.promise().query('SELECT count(*) FROM writes'),
  refused: (connection) => connection.promise().query('SELECT * FROM nowhere'),
}));

'use strict';

/** Connections that persist, and the pools and clients of drivers under the same contract: see `docs/databases.md`. */

const { persistent } = require('./persistent');
const { wrapMysqlPool } = require('./mysql');
const { wrapPgPool } = require('./pg');
const { wrapRedis } = require('./redis');

module.exports = { persistent, wrapMysqlPool, wrapPgPool, wrapRedis };

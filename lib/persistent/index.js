'use strict';

/** Connections that persist, and the pools and clients of drivers under the same contract: see `docs/databases.md`. */

const { persistent } = require('./persistent');
const { wrapMongoose } = require('./mongoose');
const { wrapMysqlPool } = require('./mysql');
const { wrapPgPool } = require('./pg');
const { wrapRedis } = require('./redis');

module.exports = { persistent, wrapMongoose, wrapMysqlPool, wrapPgPool, wrapRedis };

'use strict';

const { FaultProxy } = require('./fault-proxy');

module.exports = { FaultProxy };

'use strict';

/**
 * The native half of the package. Every other file reaches Rust through this one, so an addon that is missing
 * or does not fit is reported once, in one way, at the first `require('unreset')`.
 */

const path = require('node:path');

const { version } = require('../package.json');
const { loadAddon } = require('./native/load');

module.exports = loadAddon({ root: path.join(__dirname, '..'), version });

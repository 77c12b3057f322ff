'use strict';

module.exports = require('./wrap-fetch');

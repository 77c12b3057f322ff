'use strict';

module.exports = require('./fetch');

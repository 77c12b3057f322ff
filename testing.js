'use strict';

/** The entry `unreset/testing`; `testing.d.ts` describes it. Node finds the names in the file that this one hands on. */

module.exports = require('./lib/testing');

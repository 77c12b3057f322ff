'use strict';

/** The method that `await using` calls. Node 20 has the symbol in its main realm only, under this registered name. */
const asyncDispose = Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose');

module.exports = { asyncDispose };

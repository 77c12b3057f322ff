'use strict';

const { row, withStrikes } = require('../lib/calls');
const { resetBeforeResponse } = require('../lib/resetBeforeResponse');

/** One attempt in ten is reset before its response begins; the calls may be repeated. */
module.exports = {
  title: 'GET, 10 % of the attempts reset before the response',
  heading: ['reset', 'GET'],
  calls: ({ seed, quick }) => withStrikes(row({ count: quick ? 40 : 250, every: 8, method: 'GET' }), seed, 0.1),
  arrange: resetBeforeResponse,
};

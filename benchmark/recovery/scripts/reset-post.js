'use strict';

const { row, withStrikes } = require('../lib/calls');
const { resetBeforeResponse } = require('../lib/resetBeforeResponse');

/**
 * One attempt in ten is reset before its response begins; half of these after the server has acted, which the client
 * cannot know. Who repeats them has some work done twice; who does not fails calls that could have been repeated. No
 * client can have it both ways.
 */
module.exports = {
  title: 'POST, 10 % of the attempts reset before the response',
  heading: ['reset', 'POST'],
  calls: ({ seed, quick }) => withStrikes(row({ count: quick ? 40 : 250, every: 8, method: 'POST' }), seed, 0.1),
  arrange: resetBeforeResponse,
};

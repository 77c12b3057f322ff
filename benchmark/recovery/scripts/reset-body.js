'use strict';

const { MIB, row, withStrikes } = require('../lib/calls');
const { resetInsideBody } = require('../lib/resetInsideBody');

/** A file of 1 MiB with a strong ETag, on a server that honours Range; 40 % of the transfers break inside the body. */
module.exports = {
  title: '1 MiB file with an ETag, 40 % of the transfers reset inside the body',
  heading: ['reset in', '1 MiB'],
  calls: ({ seed, quick }) =>
    withStrikes(row({ count: quick ? 10 : 60, every: 40, method: 'GET', length: MIB }), seed, 0.4),
  arrange: resetInsideBody,
};

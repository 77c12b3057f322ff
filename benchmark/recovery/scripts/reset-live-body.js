'use strict';

const { MIB, row, withStrikes } = require('../lib/calls');
const { resetInsideBody } = require('../lib/resetInsideBody');

/**
 * The same for a report that is made anew for every request: no validator, another content each time, and Range is
 * honoured all the same, as by a file that is overwritten, or behind a balancer whose servers are not in step. Whoever
 * continues where it broke splices two versions.
 */
module.exports = {
  title: '1 MiB that changes and has no ETag, 40 % of the transfers reset inside the body',
  heading: ['reset in', 'changing'],
  calls: ({ seed, quick }) =>
    withStrikes(row({ count: quick ? 10 : 60, every: 40, method: 'GET', length: MIB }), seed, 0.4)
      .map((call) => ({ ...call, ask: { live: 1 } })),
  arrange: resetInsideBody,
};

'use strict';

const { row, withStrikes } = require('../lib/calls');

/** For how long the origin refuses, in ms; Retry-After has whole seconds, rounded up. */
const BUSY = 900;

/** 40 % of the calls meet a server that is busy for the moment: 503 with `Retry-After: 1` until that time is over. */
module.exports = {
  title: 'GET, 40 % answered 503 with Retry-After: 1 until a second has passed',
  heading: ['503', 'Retry-After'],
  calls: ({ seed, quick }) =>
    withStrikes(row({ count: quick ? 20 : 60, every: 40, method: 'GET' }), seed, 0.4)
      .map(({ strikes, ...call }) => (strikes > 0 ? { ...call, ask: { busy: BUSY } } : call)),
  mostlyWaiting: true,
};

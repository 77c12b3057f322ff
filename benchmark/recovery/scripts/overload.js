'use strict';

const { row } = require('../lib/calls');

const SECOND = 1000;

/**
 * A server that can answer 50 calls a second and says 503 to the rest, which costs it a quarter of an answer. 100
 * calls a second come for 3 s, then 30 a second for 4 s, which it could answer all. A client that repeats without
 * measure eats up what the server could have answered, and one that repeats at once meets the same overload.
 */
module.exports = {
  title: 'overload: 503 beyond 50 calls a second, while 100 come and then 30',
  heading: ['overload', '503'],
  origin: { capacity: { perSecond: 50, refusalCost: 0.25 } },
  calls({ quick }) {
    const storm = quick ? 1 : 3;
    const after = quick ? 1 : 4;
    return [
      ...row({ count: storm * 100, every: SECOND / 100, method: 'GET', name: 'storm' }),
      ...row({ count: after * 30, every: SECOND / 30, method: 'GET', from: storm * SECOND, name: 'after' }),
    ];
  },
};

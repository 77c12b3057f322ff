'use strict';

const { row, strike, withStrikes } = require('../lib/calls');

/** 64 KiB with a Content-Length; 30 % of the transfers end by a FIN, in good order, before they are whole. */
module.exports = {
  title: '64 KiB, 30 % of the bodies end before their Content-Length',
  heading: ['early', 'FIN'],
  calls: ({ seed, quick }) =>
    withStrikes(row({ count: quick ? 20 : 100, every: 20, method: 'GET', length: 64 * 1024 }), seed, 0.3),
  arrange(proxy, calls) {
    strike(proxy, calls, ({ where, length }) => ({
      type: 'close',
      on: 'response-body',
      afterBytes: Math.round(length * (0.1 + 0.8 * where)),
    }));
  },
};

'use strict';

const { strike } = require('./calls');

/** RST after between a tenth and nine tenths of the body; a shorter rest, when the body is continued, is let through. */
function resetInsideBody(proxy, calls) {
  strike(proxy, calls, ({ where, length }) => ({
    type: 'reset',
    on: 'response-body',
    afterBytes: Math.round(length * (0.1 + 0.8 * where)),
  }));
}

module.exports = { resetInsideBody };

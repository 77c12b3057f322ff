'use strict';

const { strike } = require('./calls');

/** RST after between a tenth and nine tenths of the body; when that is continued, a shorter rest gets through. */
function resetInsideBody(proxy, calls) {
  strike(proxy, calls, ({ where, length }) => ({
    type: 'reset',
    on: 'response-body',
    afterBytes: Math.round(length * (0.1 + 0.8 * where)),
  }));
}

module.exports = { resetInsideBody };

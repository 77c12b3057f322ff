'use strict';

const { strike } = require('./calls');

/**
 * RST to the client, before a byte of the response: half of the calls lose their request on the way to the server, the
 * other half their answer on the way back. To the client both look the same.
 */
function resetBeforeResponse(proxy, calls) {
  strike(proxy, calls, ({ where }) => ({
    type: 'reset',
    on: where < 0.5 ? 'before-request-forwarded' : 'after-request-forwarded',
  }));
}

module.exports = { resetBeforeResponse };

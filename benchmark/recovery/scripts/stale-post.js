'use strict';

const { IDLE_CLOSE, slowTowardsClient, staleCalls } = require('../lib/stale');

/** The server closes idle connections just as a POST is sent on each; lib/stale.js says how. */
module.exports = {
  title: 'POST on a keep-alive connection that the server is just closing',
  heading: ['stale', 'POST'],
  origin: { idleClose: IDLE_CLOSE },
  calls: ({ quick }) => staleCalls('POST', quick ? 10 : 40),
  arrange: slowTowardsClient,
  mostlyWaiting: true,
};

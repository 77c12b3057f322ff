'use strict';

const { IDLE_CLOSE, slowTowardsClient, staleCalls } = require('../lib/stale');

/** The server closes idle connections just as a GET is sent on each; lib/stale.js says how. */
module.exports = {
  title: 'GET on a keep-alive connection that the server is just closing',
  heading: ['stale', 'GET'],
  origin: { idleClose: IDLE_CLOSE },
  calls: ({ quick }) => staleCalls('GET', quick ? 10 : 40),
  arrange: slowTowardsClient,
  mostlyWaiting: true,
};

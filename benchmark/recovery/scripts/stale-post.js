'use strict';

const { staleScript } = require('../lib/stale');

/** The server closes its idle connections just as a POST is sent on each; lib/stale.js says how. */
module.exports = {
  title: 'POST on a keep-alive connection that the server is just closing',
  heading: ['stale', 'POST'],
  ...staleScript('POST'),
};

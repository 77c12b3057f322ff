'use strict';

const { staleScript } = require('../lib/stale');

/** The server closes its idle connections just as a GET is sent on each; lib/stale.js says how. */
module.exports = {
  title: 'GET on a keep-alive connection that the server is just closing',
  heading: ['stale', 'GET'],
  ...staleScript('GET'),
};

'use strict';

/** Requests that meet no fault. */

module.exports = [
  ...require('./forms'),
  ...require('./headers'),
  ...require('./bodies'),
  ...require('./events'),
  ...require('./ends'),
  ...require('./misuse'),
];

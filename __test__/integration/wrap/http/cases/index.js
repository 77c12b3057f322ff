'use strict';

/** Requests that meet no fault. */

const CASES = [
  ...require('./forms'),
  ...require('./headers'),
  ...require('./bodies'),
  ...require('./events'),
  ...require('./ends'),
  ...require('./misuse'),
];

module.exports = { CASES };

'use strict';

/**
 * What must hold for every client: `run` does it and gives plain data, `expected` is what that has to be, `but` where a kind
 * of client, or one client, does it differently by itself; `only` names the kind that can do it at all.
 */

const CASES = {
  ...require('./attempts'),
  ...require('./replay'),
  ...require('./broken-bodies'),
  ...require('./aborts'),
  ...require('./timeouts'),
};

module.exports = { CASES };

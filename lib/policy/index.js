'use strict';

/** What to do about a fault, for every surface of this package: see `docs/policy.md`. */

const { createPolicy, policyOf } = require('./retry-policy');

module.exports = { createPolicy, policyOf };

'use strict';

/** Fetches the URL that it is given. */

const { fetch } = require('../../..');

fetch(process.argv[2], { retry: { backoff: { base: 1, cap: 2 } } }).then((response) => response.text());

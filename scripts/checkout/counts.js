'use strict';

/** How the test runners report their counts; see `counts` of a step. */

/** `test result: ok. 12 passed; 0 failed; ...`, once per test binary. */
const CARGO_COUNTS = /^test result: .*? (?<passed>\d+) passed; (?<failed>\d+) failed/;

/** `Tests:       1 failed, 2 skipped, 5 passed, 8 total` */
const JEST_COUNTS = /^Tests: +(?:(?<failed>\d+) failed, )?(?:\d+ (?:skipped|todo), )*(?:(?<passed>\d+) passed, )?\d+ total/;

module.exports = { CARGO_COUNTS, JEST_COUNTS };

'use strict';

/** The recovery of a call whose first attempt was answered, as JSON: nearly every call has it, few look at it. */
const CLEAN_RECOVERY = '{"attempts":[{"fault":null,"delay":0}],"resumed":0,"bytesRefetched":0}';

module.exports = { CLEAN_RECOVERY };

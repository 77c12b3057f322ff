'use strict';

/** The flags a call starts with; `src/node/client.rs` reads them: change both together. */
module.exports = {
  REDIRECT_ERROR: 1,
  REDIRECT_MANUAL: 1 << 1,
  STREAM: 1 << 2,
  REOPENS: 1 << 3,
  SHOULD_RETRY: 1 << 4,
  ON_RETRY: 1 << 5,
  REDIRECT_WITHIN_ORIGIN: 1 << 6,
  UNVERIFIED: 1 << 7,
};

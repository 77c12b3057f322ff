'use strict';

/**
 * The layout in which native code hands completions over; `src/node/completion.rs` writes it: change both together.
 */
module.exports = {
  /** Numbers per completion: kind and flags, call, and one that belongs to the kind. */
  SLOTS: 3,
  /** Completions per batch at most. */
  BATCH: 256,

  KIND_MASK: 0xff,
  HEAD: 1,
  FAILED: 2,
  CHUNK: 3,
  BROKEN: 4,
  PULL: 5,
  DROPPED: 6,
  SHOULD_RETRY: 7,
  ON_RETRY: 8,
  LOOKUP: 9,
  CLOSED: 10,
  ROOTS: 11,
  BREAKER: 12,
  RECEIVED: 13,
  SENT: 14,
  ROOM: 15,
  SOCKET: 16,
  MESSAGE: 17,
  WRITTEN: 18,
  PING: 19,
  PONG: 20,
  OVERSIZED: 21,

  BUFFER: 1 << 8,
  STRING: 1 << 9,
  ASCII: 1 << 10,
  DONE: 1 << 11,
  REDIRECTED: 1 << 12,
  RECOVERY: 1 << 13,
  CONTINUES: 1 << 14,
  TEXT: 1 << 15,
};

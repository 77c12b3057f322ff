'use strict';

/**
 * What `lib/stream/` asks of a call beyond what `fetch` takes: under this symbol of its `init`, which nobody else has.
 *
 * @typedef {object} Transfer
 * @property {number} readAhead bytes of the body that are read before they are asked for
 * @property {Start} [start] what is there of the body; the response tells whether it continues behind it
 * @property {(event: import('../..').ResumeEvent) => void} [onResume] the body broke, and goes on after a wait
 * @property {(reason: unknown) => void} [abort] set by the call: ends it, wherever it is
 *
 * @typedef {object} Start as `src/http/resume/start.rs` has it
 * @property {number} passed bytes that are there
 * @property {number | null} length of the whole, where it is known
 * @property {[string, string][]} headers of the response that brought the first of them
 */
const TRANSFER = Symbol('unreset.transfer');

module.exports = { TRANSFER };

'use strict';

/** What `close` may be called with. */

/** Bytes: a control frame has 125, two of which are the code (RFC 6455, section 5.5). */
const LONGEST_REASON = 123;

/** A Close frame without a code. */
const NO_CODE = 0;

/**
 * The codes of the standard (1000, 3000 to 4999) and those that `ws` sends besides: all that may stand in a Close frame and
 * that somebody has defined (RFC 6455, section 7.4.1).
 *
 * @param {unknown} value as WebIDL's `[Clamp] unsigned short`
 * @throws {DOMException} InvalidAccessError
 */
function parseCode(value) {
  if (value === undefined) return NO_CODE;
  const code = Math.round(Math.min(Math.max(Number(value) || 0, 0), 65_535));
  const isOfProtocol = code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
  if (isOfProtocol || (code >= 3000 && code <= 4999)) return code;
  throw new DOMException(
    `The close code must be 1000, another one of RFC 6455 that a client may send, or from 3000 to 4999. Received ${code}.`,
    'InvalidAccessError',
  );
}

/**
 * @param {unknown} value a text, or its bytes as with `ws`
 * @returns {string}
 * @throws {DOMException} SyntaxError
 */
function parseReason(value) {
  if (value === undefined) return '';
  const reason = ArrayBuffer.isView(value) ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString() : `${value}`;
  const length = Buffer.byteLength(reason);
  if (length <= LONGEST_REASON) return reason;
  throw new DOMException(`The reason must have at most ${LONGEST_REASON} bytes. Received ${length}.`, 'SyntaxError');
}

/**
 * What stands in the Close frame.
 *
 * @returns {{ code: number, reason: string }} `code` is {@link NO_CODE} for a frame without one
 */
function parseClosing(givenCode, givenReason) {
  const code = parseCode(givenCode);
  const reason = parseReason(givenReason);
  // There is no place for a reason without a code: as the standard has it, it is a normal end then.
  return { code: code === NO_CODE && reason !== '' ? 1000 : code, reason };
}

module.exports = { parseClosing };

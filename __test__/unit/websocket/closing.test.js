'use strict';

const { parseClosing } = require('../../../lib/websocket/closing');

/** What a call throws, as its name. */
function thrown(...args) {
  try {
    parseClosing(...args);
  } catch (error) {
    return error instanceof DOMException ? error.name : error;
  }
  return 'nothing';
}

const ALLOWED = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999];
const REFUSED = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535, 65_536, -1, NaN, null, 'abc', {}];

test.each(ALLOWED)('the code %p may be sent', (code) => {
  expect(parseClosing(code)).toEqual({ code, reason: '' });
});

test.each(REFUSED)('the code %p may not', (code) => {
  expect(thrown(code)).toBe('InvalidAccessError');
});

test('a code is a number as WebIDL makes one', () => {
  expect(parseClosing('1000').code).toBe(1000);
  expect(parseClosing(1000.2).code).toBe(1000);
});

test('without a code the frame has none, unless a reason needs one', () => {
  expect(parseClosing()).toEqual({ code: 0, reason: '' });
  expect(parseClosing(undefined, 'bye')).toEqual({ code: 1000, reason: 'bye' });
});

test('a reason has as many bytes as a control frame has room for', () => {
  expect(parseClosing(1000, 'x'.repeat(123)).reason).toHaveLength(123);
  expect(thrown(1000, 'x'.repeat(124))).toBe('SyntaxError');
  // Bytes, not characters.
  expect(thrown(1000, 'é'.repeat(62))).toBe('SyntaxError');
  expect(parseClosing(1000, Buffer.from('gruß')).reason).toBe('gruß');
  expect(parseClosing(1000, 7).reason).toBe('7');
});

'use strict';

const native = require('../../lib/native');
const { HeaderLines, ResponseHead, appendHeaders } = require('../../lib/fetch/headers');

const CHARACTERS = Array.from({ length: 0x180 }, (_, code) => String.fromCharCode(code));
const named = (character) => JSON.stringify(character);

/** @returns {string | undefined} the lines, if ours accepts the header */
function linesOf(name, value) {
  const lines = new HeaderLines();
  try {
    appendHeaders([[name, value]], lines);
  } catch (error) {
    expect(error.name).toBe('TypeError');
    return undefined;
  }
  return lines.text;
}

function builtInAccepts(name, value) {
  try {
    return [...new Headers([[name, value]])].length === 1;
  } catch {
    return false;
  }
}

describe('our check, that of the built-in Headers, and that of native code', () => {
  test('agree on every character of a name', () => {
    const disagreed = CHARACTERS.filter((character) => {
      const name = `x${character}y`;
      return (linesOf(name, '1') !== undefined) !== builtInAccepts(name, '1');
    });
    expect(disagreed.map(named)).toEqual([]);
  });

  test('what ours accepts as a value, native code and the built-in accept', () => {
    const accepted = CHARACTERS.filter((character) => linesOf('x-a', `a${character}b`) !== undefined);
    expect(accepted).toContain('\t');
    expect(accepted).toContain('\u00ff');
    for (const character of accepted) {
      const value = `a${character}b`;
      expect([named(character), native.acceptsHead(`GET\n${linesOf('x-a', value)}\nhttp://h/`)]).toEqual([named(character), true]);
      expect([named(character), builtInAccepts('x-a', value)]).toEqual([named(character), true]);
    }
  });

  test('what only the built-in accepts are control characters, which no header can carry', () => {
    const only = CHARACTERS.filter((character) => {
      const value = `a${character}b`;
      return linesOf('x-a', value) === undefined && builtInAccepts('x-a', value);
    });
    const isControl = (character) => character < ' ' || character === '\u007f';
    expect(only.filter((character) => !isControl(character)).map(named)).toEqual([]);
  });

  test.each([' a ', '\ta', 'a\t ', '\r\na', 'a\n', '', '   '])('trim %j alike', (value) => {
    const expected = new Headers([['x-a', value]]).get('x-a');
    expect(linesOf('x-a', value)).toBe(`x-a\n${expected}\n`);
  });
});

describe('the head of a response', () => {
  test('is read from the lines that crossed', () => {
    const head = new ResponseHead('Not Found\nhttp://h/\nx-a\ncaf\u00e9\nset-cookie\na=1\nset-cookie\nb=2\nx-empty\n\n');
    expect([head.statusText, head.url]).toEqual(['Not Found', 'http://h/']);
    expect([...head.headers]).toEqual([['set-cookie', 'a=1'], ['set-cookie', 'b=2'], ['x-a', 'caf\u00e9'], ['x-empty', '']]);
  });

  test('may have neither status text, URL nor headers', () => {
    const head = new ResponseHead('\n\n');
    expect([head.statusText, head.url, [...head.headers]]).toEqual(['', '', []]);
  });
});

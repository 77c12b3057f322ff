'use strict';

/** The guide: its links lead somewhere, its code can be parsed, and its table of options is that of the code. */

const fs = require('node:fs');
const path = require('node:path');
const { execFileSync } = require('node:child_process');
const { parseOptions } = require('../../../lib/persistent/options');
const { readDocument } = require('../../support/snippets');

const TEXT = fs.readFileSync(path.join(__dirname, '../../../docs/databases.md'), 'utf8');
const SNIPPETS = [...TEXT.matchAll(/```js\n(.*?)```/gs)].map(([, code]) => code.replaceAll('{ ... }', '{}'));

test('every file it links to is there', () => {
  expect(readDocument('docs/databases.md').missing()).toEqual([]);
});

test.each(SNIPPETS.map((code, at) => [at + 1, code]))('snippet %i is a module', (_, code) => {
  expect(() => execFileSync(process.execPath, ['--input-type=module', '--check'], { input: code, stdio: 'pipe' })).not.toThrow();
});

test('its defaults are those of the code', () => {
  const { timeout, pingAfter, maxWaiting } = parseOptions();
  const told = Object.fromEntries([...TEXT.matchAll(/^\| `([\w.]+)` \| ([\d ]+) \|/gm)].map(([, name, value]) => [name, Number(value.replace(' ', ''))]));
  expect(told).toEqual({
    'timeout.connect': timeout.connect,
    'timeout.wait': timeout.wait,
    'timeout.ping': timeout.ping,
    'timeout.close': timeout.close,
    pingAfter,
    maxWaiting,
  });
});

'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const { picture, PICTURE } = require('../../recovery/lib/picture');

const RESULTS = path.join(__dirname, '..', '..', 'results');

const figures = (more) => ({ calls: 40, succeeded: 40, wrong: 0, duplicates: 0, ...more });
const record = (more) => ({
  date: '2026-01-02T03:04:05.000Z',
  node: '20.0.0',
  seed: 7,
  peers: ['unreset'],
  scripts: ['reset-post'],
  measurements: [{ script: 'reset-post', peer: 'unreset', ...figures(more) }],
});

test('the picture in the documentation is the one of the record that it names', () => {
  const shown = fs.readFileSync(PICTURE, 'utf8');
  const [, source] = /made from (\S+?\.json)/.exec(shown);
  const named = JSON.parse(fs.readFileSync(path.join(RESULTS, source), 'utf8'));
  assert.equal(named.complete, true);
  assert.equal(picture(named, source), shown);
});

test('100 is written only when every call succeeded', () => {
  assert.match(picture(record(), 'a.json'), />100</);
  assert.doesNotMatch(picture(record({ succeeded: 39.9 }), 'a.json'), />100</);
});

test('what went wrong is in the field of its script and in the totals', () => {
  const drawn = picture(record({ wrong: 3, duplicates: 5 }), 'a.json');
  assert.match(drawn, /class="note">3 wrong, 5 twice</);
  assert.match(drawn, /class="total bad">3</);
  assert.match(drawn, /class="total bad">5</);
  assert.doesNotMatch(picture(record(), 'a.json'), /class="note"|total bad/);
});

test('a measurement that is missing is a dash, not a zero', () => {
  const drawn = picture({ ...record(), measurements: [] }, 'a.json');
  assert.match(drawn, />-</);
  assert.doesNotMatch(drawn, /class="none" x/);
});

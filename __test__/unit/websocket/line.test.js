'use strict';

const { Line } = require('../../../lib/websocket/line');

/** A step that has to be read first, and what ends the reading. */
function slow(told, name, bytes) {
  let finish;
  const reading = new Promise((resolve) => {
    finish = resolve;
  });
  return { finish, step: { bytes, read: () => reading, run: (read) => told.push(`${name} ${read}`), drop: () => told.push(`${name} dropped`) } };
}

function quick(told, name, bytes) {
  return { bytes, run: () => told.push(name), drop: () => told.push(`${name} dropped`) };
}

test('what has nothing to read is done at once', () => {
  const told = [];
  const line = new Line();
  line.add(quick(told, 'a', 3));
  expect([told, line.isBusy, line.bytes]).toEqual([['a'], false, 0]);
});

test('nothing overtakes what is being read', async () => {
  const told = [];
  const line = new Line();
  const [first, second] = [slow(told, 'first', 10), slow(told, 'second', 5)];
  line.add(first.step);
  line.add(quick(told, 'a', 1));
  line.add(second.step);
  line.add(quick(told, 'b', 2));
  second.finish('2');
  await null;
  expect([told, line.bytes, line.isBusy]).toEqual([[], 18, true]);
  first.finish('1');
  await new Promise(setImmediate);
  expect([told, line.bytes, line.isBusy]).toEqual([['first 1', 'a', 'second 2', 'b'], 0, false]);
});

test('what is dropped is not done any more, also if it is being read', async () => {
  const told = [];
  const line = new Line();
  const first = slow(told, 'first', 10);
  line.add(first.step);
  line.add(quick(told, 'a', 1));
  line.clear();
  expect([told, line.bytes, line.isBusy]).toEqual([['first dropped', 'a dropped'], 0, false]);
  first.finish('1');
  line.add(quick(told, 'b', 1));
  await new Promise(setImmediate);
  expect(told).toEqual(['first dropped', 'a dropped', 'b']);
});

test('a step may clear the line that it stands in', () => {
  const told = [];
  const line = new Line();
  line.add({ run: () => line.clear() });
  line.add(quick(told, 'a', 1));
  expect([told, line.isBusy]).toEqual([['a'], false]);
});

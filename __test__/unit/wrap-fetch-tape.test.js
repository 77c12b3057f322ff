'use strict';

const { KEPT_AT_MOST, SupersededError, Tape } = require('../../lib/wrap/fetch/tape');

/** A source that gives one piece each time it is told, and knows how it was ended. */
function sourceOf(...pieces) {
  const source = { reads: 0, cancelled: undefined };
  source.open = () => ({
    async read() {
      source.reads += 1;
      if (pieces.length === 0) return { done: true };
      const value = await pieces.shift();
      if (value instanceof Error) throw value;
      return { done: false, value };
    },
    cancel(reason) {
      source.cancelled = { reason };
    },
  });
  return source;
}

async function all(reading) {
  const values = [];
  for (;;) {
    const { done, value } = await reading.read();
    if (done) return values;
    values.push(value);
  }
}

const size = (bytes) => Buffer.alloc(bytes);

test('a second reading has what the first one read, and the rest', async () => {
  const tape = new Tape(sourceOf('a', 'b', 'c').open, true);
  const first = tape.begin();
  await first.read();
  await first.read();
  expect(await all(tape.begin())).toEqual(['a', 'b', 'c']);
  expect(await all(tape.begin())).toEqual(['a', 'b', 'c']);
});

test('it opens the source when the first piece is asked for', () => {
  const open = jest.fn();
  const tape = new Tape(open, true);
  tape.begin();
  expect(open).not.toHaveBeenCalled();
});

test('a reading that was given up gets no more', async () => {
  const tape = new Tape(sourceOf('a').open, true);
  const first = tape.begin();
  tape.begin();
  await expect(first.read()).rejects.toThrow(SupersededError);
});

test('a piece that the one before had asked for is for the one after it', async () => {
  let arrive;
  const slow = new Promise((resolve) => {
    arrive = resolve;
  });
  const tape = new Tape(sourceOf(slow, 'b').open, true);
  const asked = tape.begin().read();
  const second = all(tape.begin());
  arrive('a');
  await expect(asked).rejects.toThrow(SupersededError);
  expect(await second).toEqual(['a', 'b']);
});

test('past the bound nothing is kept', async () => {
  const tape = new Tape(sourceOf(size(KEPT_AT_MOST), size(1)).open, true);
  const reading = tape.begin();
  await reading.read();
  expect(tape.isWhole).toBe(true);
  await reading.read();
  expect(tape.isWhole).toBe(false);
});

test('a source that need not be kept is whole until it is read', async () => {
  const tape = new Tape(sourceOf('a').open, false);
  expect(tape.isWhole).toBe(true);
  await tape.begin().read();
  expect(tape.isWhole).toBe(false);
});

test('suspended, it waits; what arrives meanwhile is there for the next reading, whatever its size', async () => {
  let arrive;
  const slow = new Promise((resolve) => {
    arrive = resolve;
  });
  const tape = new Tape(sourceOf(slow, 'b').open, true);
  const waiting = tape.begin().read();
  tape.suspend();
  arrive(size(KEPT_AT_MOST + 1));
  await slow;
  expect(tape.isWhole).toBe(true);
  const values = await all(tape.begin());
  await expect(waiting).rejects.toThrow(SupersededError);
  expect(values.map((value) => value.length)).toEqual([KEPT_AT_MOST + 1, 1]);
});

test('released after that, the reading goes on where it was', async () => {
  const tape = new Tape(sourceOf('a', 'b', 'c').open, true);
  const reading = tape.begin();
  await reading.read();
  tape.suspend();
  const rest = all(reading);
  tape.release();
  expect(await rest).toEqual(['b', 'c']);
});

test('a source that fails is told apart, and is not whole', async () => {
  const failure = new Error('the disk');
  const tape = new Tape(sourceOf('a', failure).open, true);
  const reading = tape.begin();
  await reading.read();
  await expect(reading.read()).rejects.toBe(failure);
  expect([tape.isWhole, tape.hasFailed]).toEqual([false, true]);
});

test('a source that cannot be opened has failed', async () => {
  const tape = new Tape(() => {
    throw new Error('no such file');
  }, true);
  await expect(tape.begin().read()).rejects.toThrow('no such file');
  expect(tape.hasFailed).toBe(true);
});

test('cancelled, the source is told, also one that nobody has read', async () => {
  const source = sourceOf('a');
  const tape = new Tape(source.open, true);
  const reason = new Error('enough');
  await tape.cancel(reason);
  expect(source.cancelled).toEqual({ reason });
});

test('a source that has ended is not cancelled', async () => {
  const source = sourceOf('a');
  const tape = new Tape(source.open, true);
  await all(tape.begin());
  await tape.cancel();
  expect(source.cancelled).toBeUndefined();
});

test('the client that drops a reading ends the source once the call is answered, and not before', async () => {
  const source = sourceOf('a', 'b');
  const tape = new Tape(source.open, true);
  const first = tape.begin();
  await first.read();
  first.cancel();
  expect(source.cancelled).toBeUndefined();
  const second = tape.begin();
  await second.read();
  tape.release();
  await second.cancel('over');
  expect(source.cancelled).toEqual({ reason: 'over' });
});

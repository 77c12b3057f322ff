'use strict';

/**
 * `resumable` against scripts of faults drawn at random: whatever the source does, every byte is handed on once, in order,
 * and a fault that does not pass ends it where it struck. The seed of a script that fails is in the name of its test.
 */

const { Readable, Writable } = require('node:stream');
const { pipeline } = require('node:stream/promises');

const { resumable } = require('../../..');

const SCRIPTS = 400;
const RETRY = { retries: Infinity, within: Infinity, budget: false, backoff: { base: 0, cap: 0 } };

/** mulberry32. */
function randomOf(seed) {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { below: (bound) => Math.floor(next() * bound), oneOf: (list) => list[Math.floor(next() * list.length)], chance: (share) => next() < share };
}

const reset = () => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' });

/** How one opening goes. */
function drawOpening(random, length) {
  return {
    refuses: random.chance(0.15),
    late: random.chance(0.5),
    /** Where it begins: at what was asked for, or before it. */
    back: random.chance(0.2) ? random.below(length + 1) : 0,
    bytes: random.below(length + 2),
    piece: 1 + random.below(random.oneOf([1, 10, 1000, 3000])),
    end: random.oneOf(['reset', 'reset', 'end', 'close']),
    form: random.oneOf(['node', 'web', 'iterable', 'text']),
    fatal: random.chance(0.05),
  };
}

function open({ offset, opening, content, states }) {
  if (opening.refuses) throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', syscall: 'connect' });
  const begin = Math.max(0, offset - opening.back);
  const end = Math.min(content.length, begin + opening.bytes);
  async function* pieces() {
    for (let at = begin; at < end; at += opening.piece) yield content.subarray(at, Math.min(end, at + opening.piece));
    if (opening.fatal) throw states.bug;
    if (end < content.length && opening.end !== 'end') throw reset();
  }
  const stream = {
    node: () => Readable.from(pieces(), { objectMode: false }),
    web: () => ReadableStream.from?.(pieces()) ?? pieces(),
    iterable: pieces,
    text: () => Readable.from(pieces(), { encoding: 'latin1' }),
  }[opening.form]();
  if (opening.end === 'close' && opening.form === 'node') stream.on('end', () => stream.destroy());
  return { stream, offset: begin, length: content.length, validator: states.validator };
}

async function play(seed) {
  const random = randomOf(seed);
  const content = Buffer.from(Array.from({ length: random.below(random.oneOf([10, 300, 3000])) }, () => random.below(128)));
  const states = { validator: `"${seed}"`, bug: new TypeError('a bug of the source') };
  const openings = [];
  const handed = [];
  let asked = 0;
  const stream = resumable(({ offset, validator, signal }) => {
    expect(offset).toBe(asked);
    expect(signal.aborted).toBe(false);
    if (openings.some(({ refuses }) => !refuses)) expect(validator).toBe(states.validator);
    const opening = drawOpening(random, content.length);
    openings.push(opening);
    return opening.late ? new Promise((resolve) => { setImmediate(resolve); }).then(() => open({ offset, opening, content, states }))
      : open({ offset, opening, content, states });
  }, { retry: RETRY, highWaterMark: 1 + random.below(random.oneOf([10, 1000, 5000])) });
  stream.on('progress', ({ bytes }) => { asked = bytes; });
  const slow = random.chance(0.3);
  const sink = new Writable({
    write(piece, encoding, callback) {
      handed.push(piece);
      if (slow) setImmediate(callback);
      else callback();
    },
  });
  const destroyAt = random.chance(0.1) ? random.below(content.length + 1) : undefined;
  if (destroyAt !== undefined) stream.on('progress', ({ bytes }) => { if (bytes >= destroyAt) stream.destroy(); });
  let failure;
  try {
    await pipeline(stream, sink);
  } catch (error) {
    failure = error;
  }
  const got = Buffer.concat(handed);
  const isPrefix = got.equals(content.subarray(0, got.length));
  return { content, got, isPrefix, failure, states, stream, destroyAt };
}

test.each([0, 1, 2, 3])('every byte once, in order (scripts %s of 4)', async (share) => {
  const outcomes = { whole: 0, bug: 0, destroyed: 0 };
  for (let seed = share; seed < SCRIPTS; seed += 4) {
    const { content, got, isPrefix, failure, states, stream, destroyAt } = await play(seed);
    const told = (what) => ({ seed, what });
    expect(told(isPrefix)).toEqual(told(true));
    if (failure === undefined) {
      expect(told(got.length)).toEqual(told(content.length));
      outcomes.whole += 1;
    } else if (failure === states.bug) {
      // What was handed on may still have been on its way to the sink.
      expect(told(failure.offset >= got.length)).toEqual(told(true));
      expect(failure.recovery.gaveUp).toBe('not-transient');
      outcomes.bug += 1;
    } else {
      expect({ ...told(failure.code), failure }).toEqual({ ...told('ERR_STREAM_PREMATURE_CLOSE'), failure });
      expect(told(destroyAt === undefined)).toEqual(told(false));
      outcomes.destroyed += 1;
    }
    expect(stream.destroyed).toBe(true);
  }
  for (const count of Object.values(outcomes)) expect(count).toBeGreaterThan(0);
});

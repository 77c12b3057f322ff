'use strict';

/** Against a stand-in for native code: how often it is called, with what, and what its answers lead to. */

const { Outgoing, BINARY } = require('../../../lib/websocket/outgoing');
const { Told } = require('../../../lib/websocket/told');

const TAKEN = 0;
const FULL = 2;
const OVER = 3;
const AWAITED = 2;

/** Takes everything, unless `accepts` says what to answer for a message. */
class Native {
  crossings = [];
  buffered = 0;

  constructor(accepts = () => TAKEN) {
    this.accepts = accepts;
  }

  bufferedAmount() {
    return this.buffered;
  }

  sendBatch(bytes, lengths, flags, count) {
    const crossing = [];
    this.crossings.push(crossing);
    let at = 0;
    for (let index = 0; index < count; index++) {
      const text = Buffer.from(bytes.subarray(at, at + lengths[index])).toString();
      const status = this.accepts(text);
      if (status !== TAKEN) return index * 4 + status;
      crossing.push([text, flags[index]]);
      at += lengths[index];
    }
    return count * 4;
  }

  sendText(text, flags) {
    this.crossings.push([[text, flags]]);
    return this.accepts(text);
  }

  sendBinary(bytes, flags) {
    this.crossings.push([[Buffer.from(bytes).toString(), flags]]);
    return this.accepts('');
  }
}

const turn = () => new Promise(setImmediate);

function made(accepts) {
  const native = new Native(accepts);
  const unheard = [];
  return { native, unheard, outgoing: new Outgoing(native, (lost) => unheard.push(lost)) };
}

test('what is sent in one turn crosses together, and is copied at once', async () => {
  const { native, outgoing } = made();
  const bytes = Buffer.from('xyz');
  outgoing.text('a', 0, undefined);
  outgoing.binary(bytes, BINARY, undefined);
  outgoing.text('é', 0, new Told(() => {}));
  bytes.fill(0);
  expect([native.crossings, outgoing.bytes]).toEqual([[], 6]);
  await turn();
  expect([native.crossings, outgoing.bytes]).toEqual([[[['a', 0], ['xyz', BINARY], ['é', AWAITED]]], 0]);
});

test('two of them keep their messages apart and in order', async () => {
  const [one, other] = [made(), made()];
  for (const name of ['a', 'b']) {
    one.outgoing.text(name, 0, undefined);
    other.outgoing.text(name, 0, undefined);
  }
  expect([one.outgoing.bytes, other.outgoing.bytes]).toEqual([0, 1]);
  await turn();
  for (const { native } of [one, other]) expect(native.crossings.flat()).toEqual([['a', 0], ['b', 0]]);
});

test('many messages, and large ones among them, arrive in order', async () => {
  const { native, outgoing } = made();
  const sent = [];
  for (let index = 0; index < 5000; index++) {
    const text = index % 100 === 0 ? `${index}`.padEnd(20_000 + index, 'ü') : `${index}`.padEnd(index % 300);
    sent.push(text);
    if (index % 3 === 0) outgoing.binary(Buffer.from(text), BINARY, undefined);
    else outgoing.text(text, 0, undefined);
  }
  await turn();
  expect(native.crossings.flat().map(([text]) => text)).toEqual(sent);
  expect(native.crossings.length).toBeLessThan(200);
});

test('a lone surrogate is what the standard makes of it', async () => {
  const { native, outgoing } = made();
  outgoing.text('a\ud800', 0, undefined);
  await turn();
  expect(native.crossings).toEqual([[['a\ufffd', 0]]]);
});

test('callbacks are called when their messages are settled, each once', async () => {
  const { outgoing, unheard } = made();
  const told = [];
  for (let number = 1; number <= 6; number++) {
    const tell = (...args) => told.push([number, ...args.map(({ code, delivery }) => `${code} ${delivery}`)]);
    outgoing.text('x', 0, number === 2 ? undefined : new Told(tell));
  }
  outgoing.flush();
  outgoing.onFates([
    { from: 2, to: 2, bytes: 1, outcome: 'unsent', why: 'expired' },
    { from: 3, to: 3, bytes: 1, outcome: 'unsent', why: 'expired' },
  ]);
  outgoing.onWritten(4);
  outgoing.onWritten(4);
  await turn();
  expect(told).toEqual([[3, 'ERR_WEBSOCKET_MESSAGE_EXPIRED not-sent'], [1], [4]]);
  expect(unheard).toEqual([{ messages: 1, bytes: 1, error: expect.objectContaining({ delivery: 'not-sent' }) }]);
  outgoing.onOver();
  await turn();
  expect(told.slice(3)).toEqual([[5, 'ERR_WEBSOCKET_CLOSED unknown'], [6, 'ERR_WEBSOCKET_CLOSED unknown']]);
});

test('a message that was set aside is not told of twice', () => {
  const { outgoing, unheard } = made();
  outgoing.text('x', 0, undefined);
  outgoing.flush();
  outgoing.onFates([{ from: 1, to: 1, bytes: 1, outcome: 'unknown', why: 'oversized' }]);
  expect(unheard).toEqual([]);
});

test('a message that does not fit is told of, and those behind it go', async () => {
  const { native, outgoing, unheard } = made((text) => (text.startsWith('big') ? FULL : TAKEN));
  const told = [];
  outgoing.text('a', 0, undefined);
  outgoing.text('big', 0, new Told(({ code, delivery }) => told.push(code, delivery)));
  outgoing.text('b', 0, new Told(() => told.push('b')));
  outgoing.text('big 2', 0, undefined);
  outgoing.text(`big ${'x'.repeat(20_000)}`, 0, undefined);
  // It is not told within `send`, where nobody expects it.
  expect(told).toEqual([]);
  await turn();
  expect(native.crossings.flat().map(([text]) => text.slice(0, 3))).toEqual(['a', 'b', 'big']);
  expect(told).toEqual(['ERR_WEBSOCKET_QUEUE_FULL', 'not-sent']);
  expect(unheard.map(({ messages, bytes }) => [messages, bytes])).toEqual([[1, 5], [1, 20_004]]);
  // Numbers are those of messages that were taken: `b` is the second.
  outgoing.onWritten(2);
  await turn();
  expect(told[2]).toBe('b');
});

test('who is told of a refusal may send', async () => {
  const { native, outgoing } = made((text) => (text === 'big' ? FULL : TAKEN));
  outgoing.text('big', 0, new Told(() => outgoing.text('instead', 0, undefined)));
  outgoing.text('a', 0, undefined);
  await turn();
  expect(native.crossings.flat().map(([text]) => text)).toEqual(['a', 'instead']);
});

test('when it is over nothing is taken, and that is told', async () => {
  const { outgoing } = made(() => OVER);
  const told = [];
  outgoing.text('a', 0, new Told(({ code }) => told.push(code)));
  await turn();
  expect(told).toEqual(['ERR_WEBSOCKET_CLOSED']);
});

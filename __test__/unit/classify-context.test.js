'use strict';

const { classify } = require('../../lib/fault');

const reset = () => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' });

function aborted(reason) {
  const controller = new AbortController();
  controller.abort(reason);
  return controller.signal;
}

test.each(['resolve', 'connect', 'handshake', 'send', 'wait', 'receive', 'idle'])('phase: %s', (phase) => {
  expect(classify(reset(), { phase }).phase).toBe(phase);
});

test.each(['not-sent', 'unknown', 'answered'])('delivery: %s', (delivery) => {
  expect(classify(reset(), { delivery }).delivery).toBe(delivery);
});

test('while there was no connection nothing was sent', () => {
  expect(classify(reset(), { phase: 'resolve' }).delivery).toBe('not-sent');
  expect(classify(reset(), { phase: 'connect' }).delivery).toBe('not-sent');
  expect(classify(reset(), { phase: 'handshake' }).delivery).toBe('unknown');
  expect(classify(reset(), { phase: 'connect', delivery: 'unknown' }).delivery).toBe('unknown');
});

test('what is undefined is as if it were left out', () => {
  const context = { phase: undefined, delivery: undefined, signal: undefined };
  expect(classify(reset(), context)).toStrictEqual(classify(reset()));
  expect(classify(reset(), {})).toStrictEqual(classify(reset(), undefined));
});

describe('signal', () => {
  const ABORTED = { code: 'ABORT_ERR', kind: 'aborted', transient: false, reconnect: false };

  test.each([
    ['an error', reset()],
    ['a string', 'ECONNRESET'],
    ['null', null],
    ['a number', 0],
    ['a symbol', Symbol('why')],
  ])('its reason is an abort: %s', (_, reason) => {
    expect(classify(reason, { signal: aborted(reason) })).toMatchObject(ABORTED);
  });

  test('its reason is an abort however it is wrapped', () => {
    const reason = reset();
    const signal = aborted(reason);
    expect(classify(new Error('outer', { cause: new Error('inner', { cause: reason }) }), { signal })).toMatchObject(ABORTED);
    expect(classify(new AggregateError([new Error('other'), reason]), { signal })).toMatchObject(ABORTED);
  });

  test('its reason is an abort even if it is a limit on time', () => {
    const reason = new DOMException('too late', 'TimeoutError');
    expect(classify(reason)).toMatchObject({ code: 'ETIMEDOUT', kind: 'timeout' });
    expect(classify(reason, { signal: aborted(reason) })).toMatchObject(ABORTED);
  });

  test('another error is not', () => {
    expect(classify(reset(), { signal: aborted(reset()) })).toMatchObject({ kind: 'reset' });
  });

  test('a signal that is not aborted says nothing', () => {
    const { signal } = new AbortController();
    expect(classify(reset(), { signal })).toMatchObject({ kind: 'reset' });
    expect(classify(undefined, { signal })).toMatchObject({ kind: 'unknown' });
  });
});

describe('a context that is not valid', () => {
  test.each([
    [null, 'context must be an object. Received null.'],
    ['connect', "context must be an object. Received 'connect'."],
    [{ phases: 'wait' }, 'context.phases is not an option. Accepted: phase, delivery, signal.'],
    [
      { phase: 'conect' },
      "context.phase must be one of resolve, connect, handshake, send, wait, receive, idle. Received 'conect'.",
    ],
    [{ phase: null }, 'context.phase must be one of resolve, connect, handshake, send, wait, receive, idle. Received null.'],
    [{ delivery: 5 }, 'context.delivery must be one of not-sent, unknown, answered. Received 5.'],
    [{ delivery: ['unknown'] }, "context.delivery must be one of not-sent, unknown, answered. Received [ 'unknown' ]."],
    [{ signal: {} }, 'context.signal must be an AbortSignal. Received {}.'],
    [{ signal: true }, 'context.signal must be an AbortSignal. Received true.'],
  ])('%j', (context, message) => {
    expect(() => classify(new Error('x'), context)).toThrow(expect.objectContaining({ name: 'TypeError', message }));
  });
});

'use strict';

const { classify, fetch } = require('../../..');
const { FaultProxy, closeAll, matchers, reply, resetServer, startOrigin } = require('../../../testing');

expect.extend(matchers);
afterEach(closeAll);

const QUICK = { backoff: { base: 1, cap: 2 } };
const reset = () => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' });

/** What a failed expectation says, without its colours. */
function complaintOf(expectation) {
  try {
    expectation();
  } catch ({ message }) {
    // eslint-disable-next-line no-control-regex -- colours begin with an escape
    return message.replace(/\x1b\[\d+m/g, '');
  }
  throw new Error('the expectation was met');
}

describe('toHaveFault', () => {
  test('takes a code, or fields, which may be asymmetric', () => {
    expect(reset()).toHaveFault('ECONNRESET');
    expect(reset()).toHaveFault({ kind: 'reset', code: expect.stringMatching(/^ECONN/), transient: true });
    expect(reset()).not.toHaveFault('ETIMEDOUT');
    expect(reset()).not.toHaveFault({ kind: 'reset', delivery: 'answered' });
    expect({ error: reset() }).toEqual({ error: expect.toHaveFault('ECONNRESET') });
  });

  test('is of errors, responses and faults', async () => {
    expect(new Response('', { status: 503 })).toHaveFault({ code: 'HTTP_503', status: 503 });
    expect(classify(reset())).toHaveFault({ code: 'ECONNRESET', kind: 'reset' });
    expect(undefined).toHaveFault({ kind: 'unknown' });
    const { url } = await resetServer();
    await expect(fetch(url, { retry: false })).rejects.toHaveFault({ phase: 'wait', delivery: 'unknown' });
  });

  test('says what it is instead', () => {
    const complaint = complaintOf(() => expect(reset()).toHaveFault({ kind: 'timeout', transient: true }));
    expect(complaint).toContain('expect(received).toHaveFault(expected)');
    expect(complaint).toContain('Expected: {"kind": "timeout", "transient": true}');
    expect(complaint).toContain('Received: {"kind": "reset", "transient": true}');
    expect(complaint).toMatch(/^ECONNRESET: \w+/m);
    expect(complaintOf(() => expect(reset()).not.toHaveFault('ECONNRESET'))).toContain('Expected: not {"code": "ECONNRESET"}');
  });

  test.each([
    [undefined, 'expected must be a code or an object. Received undefined.'],
    [{ knid: 'reset' }, 'expected.knid is not an option. Accepted: code, kind, phase,'],
    [{}, 'expected must name a field of the fault.'],
    [{ code: undefined }, 'expected must name a field of the fault.'],
  ])('refuses to expect %p', (expected, message) => {
    expect(() => expect(reset()).toHaveFault(expected)).toThrow(message);
    expect(() => expect(reset()).not.toHaveFault(expected)).toThrow(message);
  });
});

test.each(['toHaveFault', 'toHaveRecovered'])('%s refuses a promise that nobody awaited', async (matcher) => {
  const promise = Promise.reject(reset());
  const args = matcher === 'toHaveFault' ? ['ECONNRESET'] : [];
  const message = `received must not be a promise: await expect(...).rejects.${matcher}(...), or .resolves.`;
  expect(() => expect(promise)[matcher](...args)).toThrow(message);
  expect(() => expect(promise).not[matcher](...args)).toThrow(message);
  await expect(promise).rejects.toHaveFault('ECONNRESET');
});

describe('toHaveRecovered', () => {
  test('is for answers that took more than one attempt', async () => {
    const { url } = await resetServer({ times: 2 });
    const response = await fetch(url, { retry: QUICK });
    expect(response).toHaveRecovered();
    expect(response).toHaveRecovered({ attempts: 3, faults: ['ECONNRESET', 'ECONNRESET'], resumed: 0 });
    expect(response).toHaveRecovered({ faults: [expect.any(String), 'ECONNRESET'] });
    expect(response).not.toHaveRecovered({ attempts: 2 });
    expect(response).not.toHaveRecovered({ faults: ['ECONNRESET'] });
    expect(response).not.toHaveRecovered({ resumed: 1 });
    expect(await fetch(url)).not.toHaveRecovered();
  });

  test('not for calls that failed, nor for statuses that were left when the retries ran out', async () => {
    const { url } = await resetServer();
    const error = await fetch(url, { retry: { ...QUICK, retries: 1 } }).catch((thrown) => thrown);
    expect(error.recovery.attempts).toHaveLength(2);
    expect(error).not.toHaveRecovered();
    const busy = await startOrigin(reply(503));
    expect(await fetch(busy.url, { retry: { ...QUICK, retries: 1 } })).not.toHaveRecovered();
  });

  test('prints every attempt', async () => {
    const { url } = await resetServer({ times: 1 });
    const response = await fetch(url, { retry: QUICK });
    const complaint = complaintOf(() => expect(response).toHaveRecovered({ attempts: 5 }));
    expect(complaint).toContain('Expected: {"attempts": 5, "recovered": true}\nReceived: {"attempts": 2, "recovered": true}');
    expect(complaint).toMatch(/^attempt 1: ECONNRESET: .+\nattempt 2.*: answered$/m);
    expect(complaintOf(() => expect(response).not.toHaveRecovered())).toContain('Expected: not {"recovered": true}');
  });

  test('says that nothing had to be recovered, or that it was not', async () => {
    const { url } = await startOrigin();
    const first = await fetch(url);
    expect(complaintOf(() => expect(first).toHaveRecovered())).toContain(
      'Expected: {"recovered": true}\nReceived: {"recovered": false}\n\nattempt 1: answered',
    );
    const busy = await startOrigin(reply(503));
    const last = await fetch(busy.url, { retry: { ...QUICK, retries: 1 } });
    expect(complaintOf(() => expect(last).toHaveRecovered({ attempts: 2 }))).toContain(
      'Received: {"attempts": 2, "recovered": false}',
    );
  });

  test.each([
    [new Response(), undefined, 'received must be a response or an error of our fetch'],
    [undefined, undefined, 'received must be a response or an error of our fetch'],
    [{ recovery: { attempts: [{ fault: null, delay: 0 }] } }, { retries: 1 }, 'expected.retries is not an option. Accepted: attempts, faults, resumed.'],
  ])('refuses %p, %p', (received, expected, message) => {
    expect(() => expect(received).toHaveRecovered(expected)).toThrow(message);
    expect(() => expect(received).not.toHaveRecovered(expected)).toThrow(message);
  });
});

describe('toHaveStruck', () => {
  async function struckOnce() {
    const origin = await startOrigin();
    const proxy = await FaultProxy.listen({ upstream: origin.port, seed: 42 });
    const handle = proxy.add({ type: 'reset', on: 'before-request-forwarded', times: 1 });
    const other = proxy.add({ type: 'close', on: 'response', connections: [100] });
    await fetch(proxy.url(), { retry: QUICK });
    return { proxy, handle, other };
  }

  test('is of a handle, or of a proxy with all its faults', async () => {
    const { proxy, handle, other } = await struckOnce();
    expect(handle).toHaveStruck();
    expect(handle).toHaveStruck(1);
    expect(handle).not.toHaveStruck(2);
    expect(other).not.toHaveStruck();
    expect(other).toHaveStruck(0);
    expect(proxy).toHaveStruck(1);
    expect(proxy).not.toHaveStruck(2);
  });

  test('prints the seed and the timeline', async () => {
    const { handle, proxy, other } = await struckOnce();
    const complaint = complaintOf(() => expect(handle).toHaveStruck(2));
    expect(complaint).toContain(
      "Expected: 2\nReceived: 1\n\nfault 1: { type: 'reset', on: 'before-request-forwarded', times: 1 }\nseed 42\n",
    );
    expect(complaint).toMatch(/STRUCK by fault 1: reset on before-request-forwarded/);
    expect(complaintOf(() => expect(proxy).toHaveStruck(0))).toContain('seed 42');
    expect(complaintOf(() => expect(other).toHaveStruck())).toContain('Expected: "at least once"\nReceived: 0');
  });

  test.each([
    [{ hits: 1 }, 1, 'received must be a FaultProxy, or what its add() returned'],
    [undefined, 1, 'received must be a FaultProxy'],
    [{}, '1', 'expected must be a whole number of at least 0'],
  ])('refuses %p, %p', (received, expected, message) => {
    expect(() => expect(received).toHaveStruck(expected)).toThrow(message);
  });
});

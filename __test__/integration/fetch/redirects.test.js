'use strict';

/**
 * Redirects as only ours tells of them: faults, attempts, hooks. Which are followed, where to, and what goes along is in
 * `side-by-side`.
 */

const { fetch } = require('../../..');
const { caught, codesOf } = require('../../support/fetch-outcomes');
const { closeAll, inTurn, reply, rst, startOrigin } = require('../../../testing');

afterEach(closeAll);

test('a function as body is called again for the next hop', async () => {
  const origin = await startOrigin(inTurn(reply(307, { location: '/next' }), reply()));
  let calls = 0;
  const body = () => {
    calls += 1;
    return 'made';
  };
  expect((await fetch(origin.url, { method: 'POST', body })).status).toBe(200);
  expect(calls).toBe(2);
  expect(origin.requests.map((request) => String(request.body))).toEqual(['made', 'made']);
});

test.each([
  ['ERR_TOO_MANY_REDIRECTS', '/', {}],
  ['ERR_UNEXPECTED_REDIRECT', '/', { redirect: 'error' }],
  ['ERR_UNEXPECTED_REDIRECT', 'http://example.invalid/', { mode: 'same-origin' }],
  ['ERR_INVALID_REDIRECT', 'ftp://example.invalid/', {}],
])('%s: to %s with %j', async (code, location, init) => {
  const origin = await startOrigin(reply(302, { location }));
  const error = await caught(fetch(origin.url, init));
  expect(error).toMatchObject({ name: 'TypeError', code });
  expect(error.cause).toMatchObject({ code, kind: 'client', phase: 'receive', delivery: 'answered', transient: false });
  expect(error.recovery).toMatchObject({ attempts: [{ fault: { code, delivery: 'answered' }, delay: 0 }], gaveUp: 'not-transient' });
});

test('a redirect that is refused is what the last attempt came to', async () => {
  const origin = await startOrigin(inTurn(rst, reply(302, { location: '/next' })));
  const error = await caught(fetch(origin.url, { redirect: 'error', retry: { backoff: { base: 1, cap: 1 } } }));
  expect(codesOf(error.recovery)).toEqual(['ECONNRESET', 'ERR_UNEXPECTED_REDIRECT']);
  expect(error.recovery.gaveUp).toBe('not-transient');
});

test('each hop is retried, and its attempts are told', async () => {
  const origin = await startOrigin(inTurn(rst, reply(302, { location: '/next' }), rst, reply()));
  const response = await fetch(origin.url, { retry: { backoff: { base: 1, cap: 1 } } });
  expect(await response.text()).toBe('ok');
  expect(origin.requests.map(({ path }) => path)).toEqual(['/', '/', '/next', '/next']);
  expect(codesOf(response.recovery)).toEqual(['ECONNRESET', null, 'ECONNRESET', null]);
});

test('a POST that became a GET may be repeated', async () => {
  const origin = await startOrigin(inTurn(reply(303, { location: '/next' }), rst, reply()));
  const response = await fetch(origin.url, { method: 'POST', body: 'once', retry: { backoff: { base: 1, cap: 1 } } });
  expect(response.status).toBe(200);
  expect(origin.requests.map(({ method }) => method)).toEqual(['POST', 'GET', 'GET']);
});

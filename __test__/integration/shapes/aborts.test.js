'use strict';

/** Calls that the caller aborted, before and inside the response, with and without a reason. */

const { clientSuite, forEveryClient } = require('../../support/client-suite');

const ABORTED = { code: 'ABORT_ERR', kind: 'aborted', transient: false, reconnect: false };

/** These reject with the reason itself, whatever it is. Without the signal it is what it looks like. */
const BARE_REASON = ['fetch', 'undici fetch', 'undici request'];

const CASES = forEveryClient([{ path: '/stall-before' }, { path: '/stall-body', abortInBody: true }]);

const suite = clientSuite();

/** `http` reports an abort inside the response as any broken response; with the signal it is told apart. */
const looksBroken = (client, path) => client === 'http' && path === '/stall-body';

test.each(CASES)('$client, $path, without a reason', async ({ path, client, abortInBody }) => {
  const { fault, underSignal } = await suite.runner.run({ client, url: suite.server.url + path, abort: 'plainly', abortInBody });
  expect(underSignal).toMatchObject(ABORTED);
  expect(fault).toMatchObject(looksBroken(client, path) ? { code: 'ECONNRESET', kind: 'reset' } : ABORTED);
});

test.each(CASES)('$client, $path, with an error that looks like a reset', async ({ path, client, abortInBody }) => {
  const { fault, underSignal } = await suite.runner.run({ client, url: suite.server.url + path, abort: 'with an error', abortInBody });
  expect(underSignal).toMatchObject(ABORTED);
  const looksReset = BARE_REASON.includes(client) || looksBroken(client, path);
  expect(fault.kind).toBe(looksReset ? 'reset' : 'aborted');
});

test.each(CASES)('$client, $path, with a string', async ({ path, client, abortInBody }) => {
  const { fault, underSignal } = await suite.runner.run({ client, url: suite.server.url + path, abort: 'with a string', abortInBody });
  expect(underSignal).toMatchObject(ABORTED);
  const seen = BARE_REASON.includes(client) ? 'unknown' : 'aborted';
  expect(fault.kind).toBe(looksBroken(client, path) ? 'reset' : seen);
});

'use strict';

/** Statuses of failure: as the response itself, or as the error that a client makes of it. */

const { clientSuite, forEveryClient } = require('../../support/client-suite');

const ANSWERED = { phase: 'receive', delivery: 'answered', reconnect: false };
/** These reject, the others resolve with the response. */
const REJECTING = ['axios', 'got'];

const STATUSES = [
  { status: 404, expected: { code: 'HTTP_404', kind: 'client', transient: false } },
  { status: 429, expected: { code: 'HTTP_429', kind: 'throttled', transient: true, retryAfter: 7000 } },
  { status: 500, expected: { code: 'HTTP_500', kind: 'server', transient: true } },
  { status: 503, expected: { code: 'HTTP_503', kind: 'throttled', transient: true, retryAfter: 2000 } },
];

const CASES = forEveryClient(STATUSES);

const suite = clientSuite();

test.each(CASES)('$client: $status', async ({ client, status, expected }) => {
  const { fault, settled } = await suite.runner.run({ client, url: `${suite.server.url}/status/${status}` });
  expect(settled).toBe(REJECTING.includes(client) ? 'error' : 'response');
  expect(fault).toMatchObject({ ...ANSWERED, ...expected, status });
});

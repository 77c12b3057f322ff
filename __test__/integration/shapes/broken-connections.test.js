'use strict';

/** Every client against a server that really breaks the connection, and what `classify` makes of its error. */

const { refusedPort } = require('../../../testing');
const { clientSuite, forEveryClient } = require('../../support/client-suite');

const BEFORE = { code: 'ECONNRESET', kind: 'reset', phase: 'wait', delivery: 'unknown', transient: true, reconnect: true };
const INSIDE = { ...BEFORE, phase: 'receive', delivery: 'answered' };
/** undici's `request` reports a broken body exactly as a request that failed: the error does not tell. */
const UNDICI_REQUEST_INSIDE = { 'undici request': BEFORE };
const PROTOCOL = { code: 'HPE_INVALID_CONSTANT', kind: 'protocol', phase: 'receive', delivery: 'unknown', transient: false };
/** undici 7.30 and 8.12, and so the built-in fetch of newer releases, lose the code and keep the name of the error. */
const LOST = { ...PROTOCOL, code: expect.stringMatching(/^HPE_(INVALID_CONSTANT|UNKNOWN)$/) };
const UNDICI_LOSES_THE_CODE = { fetch: LOST, 'undici fetch': LOST, 'undici request': LOST };
const REFUSED = {
  code: 'ECONNREFUSED', kind: 'refused', phase: 'connect', delivery: 'not-sent', transient: true, syscall: 'connect',
};
const UNRESOLVED = { kind: 'dns', phase: 'resolve', delivery: 'not-sent', transient: true, syscall: 'getaddrinfo' };
const REDIRECTS = { code: 'ERR_TOO_MANY_REDIRECTS', kind: 'client', phase: 'receive', delivery: 'answered', transient: false };

/** What happens, what every client's fault then says, and where a client tells more or less than the others. */
const HAPPENINGS = [
  {
    happening: 'RST before the response',
    path: '/rst-before',
    expected: { ...BEFORE, ending: 'rst', syscall: 'read' },
  },
  {
    happening: 'FIN before the response',
    path: '/fin-before',
    expected: { ...BEFORE, ending: 'fin' },
    // It copies the code of "socket hang up" and wraps the words.
    but: { 'node-fetch': BEFORE },
  },
  {
    happening: 'RST inside the body',
    path: '/rst-body',
    expected: INSIDE,
    but: { fetch: { ...INSIDE, ending: 'rst' }, 'undici fetch': { ...INSIDE, ending: 'rst' }, ...UNDICI_REQUEST_INSIDE },
  },
  {
    happening: 'RST together with the first part of the body',
    path: '/rst-with-body',
    expected: INSIDE,
    but: { fetch: { ...INSIDE, ending: 'rst' }, 'undici fetch': { ...INSIDE, ending: 'rst' }, ...UNDICI_REQUEST_INSIDE },
  },
  {
    happening: 'FIN inside the body',
    path: '/fin-body',
    expected: INSIDE,
    but: { fetch: { ...INSIDE, ending: 'fin' }, 'undici fetch': { ...INSIDE, ending: 'fin' }, ...UNDICI_REQUEST_INSIDE },
  },
  {
    happening: 'FIN inside the body of the last response of a connection',
    path: '/fin-last-body',
    expected: INSIDE,
  },
  {
    happening: 'FIN between two chunks',
    path: '/fin-chunked',
    expected: INSIDE,
    but: UNDICI_REQUEST_INSIDE,
  },
  {
    happening: 'an answer that is not HTTP',
    path: '/not-http',
    expected: PROTOCOL,
    but: UNDICI_LOSES_THE_CODE,
  },
  {
    happening: 'redirects without end',
    path: '/redirect-loop',
    expected: REDIRECTS,
    // follow-redirects has a code of its own; the others do not follow, the redirect is their answer.
    but: {
      axios: { ...REDIRECTS, code: 'ERR_FR_TOO_MANY_REDIRECTS' },
      http: { code: 'HTTP_302', kind: 'unknown' },
      'undici request': { code: 'HTTP_302', kind: 'unknown' },
    },
  },
  {
    happening: 'a port where nothing listens',
    expected: REFUSED,
    // It copies code and system call, not the address.
    address: (client, port) => (client === 'node-fetch' ? {} : { address: '127.0.0.1', port }),
  },
  {
    happening: 'a name that does not resolve',
    url: 'http://unreset.invalid/',
    expected: UNRESOLVED,
    address: (client) => (client === 'node-fetch' ? {} : { address: 'unreset.invalid' }),
  },
];

const CASES = forEveryClient(HAPPENINGS);

const suite = clientSuite();

test.each(CASES)('$client: $happening', async ({ client, path, url, expected, but, address }) => {
  const refused = await refusedPort();
  const target = url ?? (path ? suite.server.url + path : `http://127.0.0.1:${refused}/`);
  const held = path === '/rst-body' || path === '/fin-body';
  const headSeen = held ? `${suite.server.url}/head-seen` : undefined;
  const { fault } = await suite.runner.run({ client, url: target, headSeen });
  expect(fault).toMatchObject({ ...(but?.[client] ?? expected), ...address?.(client, refused) });
  expect(fault.reason).not.toBe('');
});

test('the code of an unresolvable name is one of the two that a resolver gives', async () => {
  const { fault } = await suite.runner.run({ client: 'http', url: 'http://unreset.invalid/' });
  // EAI_AGAIN where there is no name server at all.
  expect(['ENOTFOUND', 'EAI_AGAIN']).toContain(fault.code);
});

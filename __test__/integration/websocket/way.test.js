'use strict';

/** The way to the server: TLS, proxies, addresses. */

const { once } = require('node:events');
const { makeAuthority, makeCertificate } = require('../../support/certificates');
const { startProxy, closeProxies } = require('../../support/proxy-server');
const { closeWebSockets, connectTo, echoing, ended, messages, serve } = require('../../support/websockets');

afterEach(async () => {
  await closeWebSockets();
  await closeProxies();
});

describe('TLS', () => {
  let authority;
  let tls;
  beforeAll(async () => {
    authority = await makeAuthority('Test Authority');
    tls = await makeCertificate({ names: ['127.0.0.1', 'a.test'], issuer: authority });
  });

  test.each([
    ['ca among the options', (ca) => ({ ca })],
    ['ca in tls', (ca) => ({ tls: { ca } })],
    ['anyone', () => ({ rejectUnauthorized: false })],
    ['the name of the certificate', (ca) => ({ ca, servername: 'a.test' })],
  ])('%s', async (name, options) => {
    const server = await echoing({ tls });
    const ws = connectTo(server.url, options(authority.cert));
    const secure = once(server.server, 'secureConnection');
    await once(ws, 'open');
    const [socket] = await secure;
    const back = messages(ws, 1);
    ws.send('x'.repeat(100_000));
    expect(await back).toEqual(['x'.repeat(100_000)]);
    if (name.startsWith('the name')) expect(socket.servername).toBe('a.test');
  });

  test('a name that the certificate is not for', async () => {
    const server = await serve(undefined, { tls });
    const { error } = await ended(connectTo(server.url, { ca: authority.cert, servername: 'b.test' }));
    expect(error.code).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  test('a version that is too low', async () => {
    const server = await serve(undefined, { tls: { ...tls, maxVersion: 'TLSv1.2' } });
    const old = connectTo(server.url, { ca: authority.cert });
    await once(old, 'open');
    const { fault } = await ended(connectTo(server.url, { ca: authority.cert, minVersion: 'TLSv1.3', reconnect: false }));
    expect(fault.kind).toBe('tls');
  });

  test('a certificate of the client', async () => {
    const own = await makeCertificate({ cn: 'client', issuer: authority });
    const server = await serve(undefined, { tls: { ...tls, requestCert: true, ca: authority.cert } });
    const secure = once(server.server, 'secureConnection');
    const ws = connectTo(server.url, { ca: authority.cert, cert: own.cert, key: own.key });
    await once(ws, 'open');
    const [socket] = await secure;
    expect([socket.authorized, socket.getPeerCertificate().subject.CN]).toEqual([true, 'client']);
  });
});

describe('a proxy', () => {
  test('by option, with credentials', async () => {
    const server = await echoing();
    const proxy = await startProxy();
    const ws = connectTo(server.url, { proxy: proxy.url.replace('//', '//user:pass@') });
    await once(ws, 'open');
    const back = messages(ws, 1);
    ws.send('through');
    expect(await back).toEqual(['through']);
    const [{ authority, headers }] = proxy.tunnels;
    expect([authority, headers['proxy-authorization']]).toEqual([new URL(server.url).host, `Basic ${btoa('user:pass')}`]);
  });

  test('that refuses is tried again', async () => {
    const server = await echoing();
    const proxy = await startProxy();
    proxy.refusals.push('HTTP/1.1 503 Not now\r\nContent-Length: 0\r\n\r\n', 'reset');
    const ws = connectTo(server.url, { proxy: proxy.url });
    const told = [];
    ws.on('reconnecting', ({ attempt }) => told.push(attempt));
    await once(ws, 'open');
    expect([told, proxy.tunnels.length]).toEqual([[1, 2], 3]);
  });

  test('not for the hosts of noProxy', async () => {
    const server = await echoing();
    const proxy = await startProxy();
    const ws = connectTo(server.url, { proxy: { url: proxy.url, noProxy: '127.0.0.1' } });
    await once(ws, 'open');
    expect(proxy.tunnels).toEqual([]);
  });
});

test('lookup finds the address of a name', async () => {
  const server = await serve();
  const asked = [];
  const ws = connectTo(`ws://a.test:${server.port}`, {
    lookup(host, options, callback) {
      asked.push(host);
      callback(null, '127.0.0.1', 4);
    },
  });
  await once(ws, 'open');
  expect([asked, server.requests[0].headers.host]).toEqual([['a.test'], `a.test:${server.port}`]);
});

test('localAddress and localPort', async () => {
  const server = await serve();
  // A port that was free a moment ago.
  const other = await serve();
  await other.close();
  const ws = connectTo(server.url, { localAddress: '127.0.0.2', localPort: other.port });
  await once(ws, 'open');
  const { remoteAddress, remotePort } = server.requests[0].socket;
  expect([remoteAddress, remotePort]).toEqual(['127.0.0.2', other.port]);
});

test('a server that takes only the second address of a name', async () => {
  const server = await serve();
  const lookup = (host, options, callback) => callback(null, [{ address: '127.0.0.9', family: 4 }, { address: '127.0.0.1', family: 4 }]);
  const url = `ws://a.test:${server.port}`;
  await once(connectTo(url, { lookup }), 'open');
  const { fault } = await ended(connectTo(url, { lookup, autoSelectFamily: false, reconnect: false }));
  expect([fault.code, fault.address]).toEqual(['ECONNREFUSED', '127.0.0.9']);
});

/** What the system says of the connections to a port, by their own: `ss -o`. */
function timersTo(port) {
  const { execFileSync } = require('node:child_process');
  return execFileSync('ss', ['-tnoH', 'dst', `127.0.0.1:${port}`], { encoding: 'utf8' });
}

const hasSs = process.platform === 'linux' && require('node:fs').existsSync('/usr/bin/ss');

(hasSs ? test : test.skip)('keepAlive and keepAliveInitialDelay', async () => {
  const timers = [];
  for (const options of [{}, { keepAliveInitialDelay: 500_000 }, { keepAlive: false }]) {
    const server = await serve();
    await once(connectTo(server.url, { heartbeat: false, ...options }), 'open');
    timers.push(/timer:\(keepalive,([^,]+),/.exec(timersTo(server.port))?.[1]);
  }
  expect(timers).toEqual([expect.stringMatching(/^1[0-5](\.\d+)?sec$/), expect.stringMatching(/^8min/), undefined]);
});

test('family', async () => {
  const server = await serve();
  const ws = connectTo(`ws://localhost:${server.port}`, { family: 4, autoSelectFamily: false });
  await once(ws, 'open');
  const { fault } = await ended(connectTo(`ws://localhost:${server.port}`, { family: 6, reconnect: false }));
  expect(['ECONNREFUSED', 'ENOTFOUND', 'EADDRNOTAVAIL', 'ENETUNREACH']).toContain(fault.code);
});

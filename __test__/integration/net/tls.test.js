'use strict';

const tls = require('node:tls');
const { once } = require('node:events');
const { FaultProxy } = require('../../../testing');
const { SOON, connectTo, record, received, closed, closeSockets } = require('../../support/sockets');
const { makeAuthority, makeCertificate } = require('../../support/certificates');

let authority;
let server;
let sockets;

beforeAll(async () => {
  authority = await makeAuthority('Test Authority');
  server = await serving({ requestCert: true, rejectUnauthorized: false, ca: authority.cert, ALPNProtocols: ['b', 'a'] });
});

afterEach(closeSockets);

afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  server.close();
  await once(server, 'close');
});

async function serving(options) {
  sockets = new Set();
  const certificate = await makeCertificate({ names: ['127.0.0.1', 'a.test'], issuer: authority });
  const made = tls.createServer({ ...certificate, ...options }, (socket) => {
    sockets.add(socket);
    socket.on('data', (chunk) => socket.write(chunk)).on('error', () => {});
    made.emit('served', socket);
  });
  made.on('tlsClientError', () => {});
  made.listen(0, '127.0.0.1');
  await once(made, 'listening');
  return made;
}

function port() {
  return server.address().port;
}

test('says what tls.TLSSocket says', async () => {
  const client = connectTo(port(), { tls: { ca: authority.cert, servername: 'a.test', ALPNProtocols: ['a'] } });
  const told = record(client, ['connect', 'secureConnect', 'ready']);
  const served = once(server, 'served');
  await once(client, 'secureConnect');
  expect(told.map(([name]) => name)).toEqual(['connect', 'ready', 'secureConnect']);
  expect(client).toMatchObject({ encrypted: true, authorized: true, authorizationError: null, alpnProtocol: 'a' });
  expect(client.getProtocol()).toBe('TLSv1.3');
  expect(client.getCipher()).toMatchObject({ name: expect.stringMatching(/^TLS_/), version: 'TLSv1.3' });
  const [peer] = await served;
  expect([peer.servername, peer.alpnProtocol]).toEqual(['a.test', 'a']);
  const certificate = client.getPeerCertificate();
  expect(certificate.subjectaltname).toContain('a.test');
  expect(certificate.raw.equals(client.getPeerX509Certificate().raw)).toBe(true);
  client.write('over tls');
  expect(await received(client, 8)).toBe('over tls');
  if (process.platform === 'linux') {
    peer.destroy();
    const [{ unacknowledged }] = await once(client, 'disconnect');
    expect(unacknowledged).toBe(0);
  }
});

test('comes back over TLS', async () => {
  const client = connectTo(port(), { tls: { ca: authority.cert } });
  const [peer] = await once(server, 'served');
  peer._handle.reset?.(() => {});
  peer.destroy();
  await once(client, 'reconnect');
  client.write('again');
  expect(await received(client, 5)).toBe('again');
});

test('a certificate that is not trusted ends it at once', async () => {
  const client = connectTo(port(), { tls: true });
  const told = record(client);
  await closed(client);
  expect(told.map(([name]) => name)).toEqual(['error', 'close']);
  expect(told[0][1]).toMatchObject({ code: 'SELF_SIGNED_CERT_IN_CHAIN', phase: 'handshake', gaveUp: 'not-transient' });
});

test('a certificate for another name ends it at once', async () => {
  const client = connectTo(port(), { tls: { ca: authority.cert, servername: 'b.test' } });
  const [error] = await once(client, 'error');
  expect(error.code).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
});

test('rejectUnauthorized: false speaks to whoever answers, and says what is wrong', async () => {
  const client = connectTo(port(), { tls: { rejectUnauthorized: false } });
  await once(client, 'secureConnect');
  expect(client).toMatchObject({ authorized: false, authorizationError: 'SELF_SIGNED_CERT_IN_CHAIN' });
});

test('shows its own certificate', async () => {
  const own = await makeCertificate({ name: 'me.test', issuer: authority });
  connectTo(port(), { tls: { ca: authority.cert, ...own } });
  const [peer] = await once(server, 'served');
  expect(peer.getPeerCertificate().subject.CN).toBe('me.test');
});

test.each(['reset', 'close'])('%s during the handshake is survived', async (type) => {
  const proxy = await FaultProxy.listen({ upstream: `127.0.0.1:${port()}` });
  try {
    proxy.add({ type, on: 'response', afterBytes: 100, times: 2 });
    const client = connectTo(proxy.port, { tls: { ca: authority.cert } });
    const [{ fault }] = await once(client, 'reconnecting');
    expect(fault).toMatchObject({ code: 'ECONNRESET', phase: 'handshake', delivery: 'not-sent' });
    await once(client, 'connect');
    client.write('x');
    expect(await received(client, 1)).toBe('x');
  } finally {
    await proxy.close();
  }
});

test('a peer that does not speak TLS is told as that', async () => {
  const net = require('node:net');
  const plain = net.createServer((socket) => socket.end('hello\r\n')).listen(0, '127.0.0.1');
  await once(plain, 'listening');
  const client = connectTo(plain.address().port, { tls: true, reconnect: { ...SOON, retries: 1 } });
  const [error] = await once(client, 'error');
  expect(error.code).toBe('ERR_SSL_WRONG_VERSION_NUMBER');
  plain.close();
});

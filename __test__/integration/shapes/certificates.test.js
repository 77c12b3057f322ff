'use strict';

/** TLS that fails for real: certificates that must not be accepted, and peers that do not speak TLS. */

const net = require('node:net');
const { once } = require('node:events');

const { startFaultyServer } = require('../../support/faulty-server');
const { makeCertificate } = require('../../support/certificates');
const { ClientRunner } = require('../../support/client-task');
const { CLIENTS } = require('../../support/clients');

const REJECTED = { kind: 'tls', phase: 'handshake', delivery: 'not-sent', transient: false };

/** The built-in fetch takes no certificate to trust per call. */
const TRUSTING = Object.keys(CLIENTS).filter((client) => client !== 'fetch');

let runner;

beforeAll(() => {
  runner = new ClientRunner();
});

afterAll(() => runner.close());

describe.each([
  ['self-signed', {}, { trusted: false, clients: Object.keys(CLIENTS) }, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ['expired', { from: -3, until: -1 }, { trusted: true, clients: TRUSTING }, 'CERT_HAS_EXPIRED'],
  ['not valid yet', { from: 1, until: 3 }, { trusted: true, clients: TRUSTING }, 'CERT_NOT_YET_VALID'],
  ['for another name', { name: 'unreset.example' }, { trusted: true, clients: TRUSTING }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
])('a certificate that is %s', (_, differences, { trusted, clients }, code) => {
  let certificate;
  let server;

  beforeAll(async () => {
    certificate = await makeCertificate(differences);
    server = await startFaultyServer(certificate);
  });

  afterAll(() => server.close());

  test.each(clients)('%s', async (client) => {
    const ca = trusted ? certificate.cert : undefined;
    const { fault } = await runner.run({ client, url: `${server.url}/rst-before`, ca });
    expect(fault).toMatchObject({ ...REJECTED, code });
  });
});

describe('a peer that does not speak TLS', () => {
  let plain;

  beforeAll(async () => {
    plain = net.createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    });
    plain.listen(0, '127.0.0.1');
    await once(plain, 'listening');
  });

  afterAll(() => plain.close());

  test.each(Object.keys(CLIENTS))('%s', async (client) => {
    const { fault } = await runner.run({ client, url: `https://127.0.0.1:${plain.address().port}/` });
    expect(fault).toMatchObject({ kind: 'tls', phase: 'handshake', delivery: 'unknown', transient: false });
    // Node 20 says EPROTO, later releases name what OpenSSL found.
    expect(fault.code).toMatch(/^(EPROTO|ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_PACKET_LENGTH_TOO_LONG)$/);
  });
});

describe('a peer that closes during the handshake', () => {
  let closing;

  beforeAll(async () => {
    closing = net.createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end());
    });
    closing.listen(0, '127.0.0.1');
    await once(closing, 'listening');
  });

  afterAll(() => closing.close());

  // node-fetch copies the code of the error and not what tells the handshake.
  const but = { 'node-fetch': { phase: 'wait', delivery: 'unknown' } };

  test.each(Object.keys(CLIENTS))('%s', async (client) => {
    const { fault } = await runner.run({ client, url: `https://127.0.0.1:${closing.address().port}/` });
    expect(fault).toMatchObject({
      code: 'ECONNRESET', kind: 'reset', phase: 'handshake', delivery: 'not-sent', transient: true, ...but[client],
    });
  });
});

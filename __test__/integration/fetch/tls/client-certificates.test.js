'use strict';

/** A server that asks who we are: what is shown to it, and what it does with those it does not know. */

const { createPrivateKey, generateKeyPairSync } = require('node:crypto');
const https = require('node:https');

const { createFetch } = require('../../../..');
const { closeAll, startOrigin } = require('../../../../testing');
const { makeAuthority, makeCertificate } = require('../../../support/certificates');
const { caught } = require('../../../support/fetch-outcomes');

let root;
let rsaRoot;
let between;
let server;
let client;
let rsaClient;

beforeAll(async () => {
  root = await makeAuthority('Root');
  rsaRoot = await makeAuthority('RSA', { keyType: 'rsa' });
  between = await makeAuthority('Between', { issuer: root });
  server = await makeCertificate({ issuer: root });
  client = await makeCertificate({ issuer: root, cn: 'client', names: [] });
  rsaClient = await makeCertificate({ issuer: rsaRoot, cn: 'rsa client', names: [], keyType: 'rsa' });
});

afterEach(closeAll);

/** Answers with the common name of whoever asks. */
function serving(options) {
  const answer = ({ incoming }, response) => response.end(incoming.socket.getPeerCertificate().subject?.CN ?? 'nobody');
  const tls = { ...server, ca: [root.cert, rsaRoot.cert], requestCert: true, rejectUnauthorized: true, ...options };
  return startOrigin(answer, { tls });
}

const shownBy = async (url, tls) => (await createFetch({ tls: { ca: root.cert, ...tls } })(url)).text();

/** The key of a certificate in another form. */
const written = ({ key }, form) => createPrivateKey(key).export({ format: 'pem', ...form });

describe('keys', () => {
  const encrypted = { cipher: 'aes-256-cbc', passphrase: 'correct horse' };
  const forms = {
    'PKCS #8': () => ({ ...client }),
    'SEC 1': () => ({ ...client, key: written(client, { type: 'sec1' }) }),
    'PKCS #1': () => ({ ...rsaClient, key: written(rsaClient, { type: 'pkcs1' }) }),
    'PKCS #8, encrypted': () => ({
      ...client, key: written(client, { type: 'pkcs8', ...encrypted }), passphrase: encrypted.passphrase,
    }),
    'PKCS #1, encrypted as a whole': () => ({
      ...rsaClient, key: written(rsaClient, { type: 'pkcs1', ...encrypted }), passphrase: encrypted.passphrase,
    }),
    'encrypted, with a passphrase of its own': () => ({
      ...client,
      key: [{ pem: Buffer.from(written(client, { type: 'pkcs8', ...encrypted })), passphrase: encrypted.passphrase }],
      passphrase: 'of the others',
    }),
    'as Buffers': () => ({ cert: Buffer.from(client.cert), key: Buffer.from(client.key) }),
  };

  test.each(Object.entries(forms))('%s', async (name, form) => {
    const { url } = await serving();
    expect(await shownBy(url, form())).toMatch(/^(rsa )?client$/);
  });
});

test('a certificate goes with its intermediates', async () => {
  const { url } = await serving({ ca: root.cert });
  const { cert, key } = await makeCertificate({ issuer: between, cn: 'below', names: [] });
  expect(await shownBy(url, { cert: cert + between.cert, key })).toBe('below');
  expect((await caught(shownBy(url, { cert, key }))).code).not.toBe('ERR_INVALID_ARG_VALUE');
});

test.each([
  ['ECDSA+SHA256', 'client'],
  ['RSA-PSS+SHA256', 'rsa client'],
])('of several, the one that the server can check is shown: %s', async (sigalgs, shown) => {
  const { url } = await serving({ ...(shown === 'client' ? server : await makeRsaServer()), sigalgs });
  const both = { cert: [rsaClient.cert, client.cert], key: [client.key, rsaClient.key] };
  expect(await shownBy(url, { ca: [root.cert, rsaRoot.cert], ...both })).toBe(shown);
});

const makeRsaServer = () => makeCertificate({ issuer: rsaRoot, keyType: 'rsa' });

test('a server that does not ask is told nothing', async () => {
  const { url } = await serving({ requestCert: false });
  expect(await shownBy(url, client)).toBe('nobody');
});

describe('a server that insists', () => {
  const codeOfNode = (url) => new Promise((resolve) => {
    https.get(url, { ca: root.cert, agent: false }).on('error', ({ code }) => resolve(code));
  });

  test('TLS 1.3: says so after the request may have left', async () => {
    const { url, requests } = await serving();
    const error = await caught(createFetch({ tls: { ca: root.cert } })(url));
    expect(error.code).toBe('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED');
    expect(error.code).toBe(await codeOfNode(url));
    expect(error.cause).toMatchObject({ kind: 'tls', delivery: 'unknown', transient: false });
    expect(requests).toHaveLength(0);
  });

  test('TLS 1.2: says so in the handshake', async () => {
    const { url, requests } = await serving({ maxVersion: 'TLSv1.2' });
    const error = await caught(createFetch({ tls: { ca: root.cert } })(url));
    expect(error.code).toBe('ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE');
    expect(error.cause).toMatchObject({ kind: 'tls', phase: 'handshake', delivery: 'not-sent', transient: false });
    expect(requests).toHaveLength(0);
  });
});

describe('what createFetch refuses', () => {
  const given = (tls) => () => createFetch({ tls });
  const locked = () => written(client, { type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'right' });

  test('a key that is encrypted, without a passphrase', () => {
    expect(given({ ...client, key: locked() })).toThrow(/^tls\.passphrase must be given: tls\.key is encrypted\.$/);
  });

  test('a passphrase that is wrong', () => {
    expect(given({ ...client, key: [client.key, locked()], passphrase: 'wrong' }))
      .toThrow(/^tls\.passphrase must be the one with which tls\.key\[1\] is encrypted\.$/);
  });

  test('a passphrase that is wrong for an older kind of encryption', () => {
    const key = written(rsaClient, { type: 'pkcs1', cipher: 'aes-128-cbc', passphrase: 'right' });
    expect(given({ ...rsaClient, key, passphrase: 'wrong' })).toThrow(/^tls\.passphrase must be the one with which tls\.key/);
    expect(given({ ...rsaClient, key })).toThrow(/^tls\.passphrase must be given: tls\.key is encrypted\.$/);
  });

  test('the key of another certificate', () => {
    expect(given({ cert: client.cert, key: server.key })).toThrow(/^tls\.key must be the private key of the certificate in tls\.cert\.$/);
    expect(given({ cert: [client.cert, rsaClient.cert], key: client.key })).toThrow(/^tls\.key must be the private key/);
  });

  test.each([
    ['damaged', () => client.key.replace(/\n.{20}/, '\n')],
    ['a certificate', () => client.cert],
    ['nothing', () => ''],
  ])('a key that is none: %s', (name, key) => {
    expect(given({ ...client, key: key() })).toThrow(/^tls\.key must be a private key in PEM\.$/);
  });

  test('a certificate that is none', () => {
    expect(given({ cert: client.key, key: client.key })).toThrow(/^tls\.cert must be certificates in PEM\.$/);
  });

  test.each([
    ['P-521', () => generateKeyPairSync('ec', { namedCurve: 'P-521' })],
    ['RSA of 1024 bits', () => generateKeyPairSync('rsa', { modulusLength: 1024 })],
    ['Ed448', () => generateKeyPairSync('ed448')],
  ])('a key that cannot be used: %s', (name, generate) => {
    const key = generate().privateKey.export({ type: 'pkcs8', format: 'pem' });
    expect(given({ ...client, key })).toThrow(/^tls\.key must be RSA of 2048 to 4096 bits, P-256, P-384 or Ed25519\.$/);
  });

  test('no secret is repeated in a message', () => {
    for (const tls of [{ ...client, key: { pem: 'secret' } }, { cert: client.cert, key: server.key }, { passphrase: ['secret'] }]) {
      expect(given(tls)).toThrow(expect.objectContaining({ message: expect.not.stringMatching(/secret|PRIVATE/) }));
    }
  });
});
